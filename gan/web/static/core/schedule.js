// When things are done: again and again, newest first, once per frame, after a pause.

import { bootAgain } from "./boot.js";
import { clearNotice, notify } from "./notice.js";
import { t } from "./text.js";

function reconnected() {
  clearNotice("offline-wait");
  bootAgain();
}

/**
 * Call the async fn every ms while the page is visible: never two at once, at once when the page comes back, and
 * more slowly (1 to 5 s) while the server cannot be reached. fn may return a number: the next delay in ms.
 *
 * @param {number} ms
 * @param {() => any} fn
 */
export function everyVisible(ms, fn) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let busy = false;
  let stopped = false;
  let failures = 0;

  async function tick() {
    if (busy || stopped || document.hidden) return;
    busy = true;
    let delay = ms;
    try {
      const wanted = await fn();
      if (typeof wanted === "number") delay = wanted;
      if (failures) reconnected();
      failures = 0;
    } catch (error) {
      delay = failed(error);
    }
    busy = false;
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(tick, delay);
  }

  /** @param {import("./server.js").Refusal} error */
  function failed(error) {
    failures += 1;
    if (error.offline && failures > 1) notify(t("common.lost"), "offline-wait");
    else if (!error.offline) console.warn(error.message);
    return Math.min(5000, 1000 * failures);
  }

  function now() {
    clearTimeout(timer);
    tick();
  }

  const shown = () => !document.hidden && now();
  document.addEventListener("visibilitychange", shown);
  window.addEventListener("pageshow", shown);
  window.addEventListener("online", shown);
  tick();
  return {
    now,
    stop() {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", shown);
      window.removeEventListener("pageshow", shown);
      window.removeEventListener("online", shown);
    },
  };
}

/**
 * Only one call of `work` at a time; while it runs, only the newest question is kept, and it is always answered last.
 * `work(question)` is async; what it throws is told to the person, and a lost connection is tried again.
 *
 * @param {(question?: any) => Promise<any>} work
 */
export function newestWins(work) {
  /** @type {{question: any} | null} */
  let waiting = null;
  let busy = false;
  let lost = false;

  async function run() {
    if (busy) return;
    busy = true;
    while (waiting) {
      const { question } = waiting;
      waiting = null;
      await attempt(question);
    }
    busy = false;
  }

  /** @param {any} question */
  async function attempt(question) {
    try {
      await work(question);
      if (lost) clearNotice("offline-wait");
      lost = false;
    } catch (error) {
      if (error.offline) {
        await retry(question);
        return;
      }
      if (error.status === 409) return; // a newer request took its place
      notify(error.details?.gone ? t("latent.gone_hint") : error.message, "error");
    }
  }

  /** @param {any} question */
  async function retry(question) {
    lost = true;
    notify(t("common.lost"), "offline-wait");
    await new Promise((done) => setTimeout(done, 1000));
    waiting ??= { question };
  }

  return (/** @type {any} */ question = undefined) => {
    waiting = { question };
    return run();
  };
}

/**
 * Call work at once, but not twice before the screen shows it: what comes between is one call with the next frame.
 *
 * @param {() => void} work
 */
export function oncePerFrame(work) {
  let shown = true;
  let waiting = false;

  function run() {
    shown = waiting = false;
    requestAnimationFrame(() => {
      shown = true;
      if (waiting) run();
    });
    work();
  }

  return () => {
    if (shown) run();
    else waiting = true;
  };
}

/**
 * Call fn after a pause of ms without another call.
 *
 * @template {any[]} Values
 * @param {number} ms
 * @param {(...values: Values) => void} fn
 */
export function afterPause(ms, fn) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return (/** @type {Values} */ ...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => fn(...values), ms);
  };
}

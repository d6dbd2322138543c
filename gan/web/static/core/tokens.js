// Who may press the buttons: tokens that this browser holds. The owner's opens everything, a run's only that run, and
// that of prepared pictures only them.
//
// They come in links, behind the # that browsers send to no server: #owner=TOKEN is printed where the program was started,
// #control=RUN:TOKEN is made for another device. They are taken out of the address at once, so that nobody hands them on
// with a copied address or a screenshot.

import { tokensOfSets } from "./own_sets.js";
import { read, write } from "./storage.js";

const RUNS = "tokens"; // run id -> its tokens, with commas: a link with a wrong one must not end what a right one opens
const MOST_OF_RUN = 3;
const OWNER = "owner"; // {tokens}: the newest first, because a program that is started anew has another
const MOST_OWNERS = 3;
const MOST_TOKENS = 60; // one header must hold them all
const CONTROL = /^#control=([A-Za-z0-9_-]{12}):([A-Za-z0-9_-]{16,64})$/;
const OWNERS = /^#owner=([A-Za-z0-9_-]{16,64})$/;

let isOwner = false;

/**
 * @param {string} runId
 * @param {string} token
 */
export function rememberToken(runId, token) {
  const { [runId]: known = "", ...others } = read(RUNS);
  const [first, ...more] = [...new Set([...known.split(","), token])].filter(Boolean);
  const tokens = [first, ...more.slice(1 - MOST_OF_RUN)].join(","); // the first is that of the page that pressed Train
  write(RUNS, Object.fromEntries([...Object.entries(others), [runId, tokens]].slice(-MOST_TOKENS)));
}

/** @param {string} runId */
export function forgetToken(runId) {
  const { [runId]: _, ...others } = read(RUNS);
  write(RUNS, others);
}

/**
 * What the server says of the owner's token that it was shown.
 *
 * @param {boolean} known
 */
export const setOwner = (known) => (isOwner = known);

/**
 * Whether this browser started the run, or was given a token of it.
 *
 * @param {string} runId
 */
const hasTokenOf = (runId) => runId in read(RUNS);

/** @param {string} runId */
export const owns = (runId) => isOwner || hasTokenOf(runId);

/**
 * Whether another of these runs trains that is a person's own: the owner of the program is told of everybody's.
 *
 * @param {{id: string, status: string}[]} runs
 * @param {string | null} runId
 */
export const trainsAnother = (runs, runId) =>
  runs.some(({ id, status }) => status === "running" && id !== runId && hasTokenOf(id));

/** The owner of the program, and not only of runs, has this page open. */
export const ownsAll = () => isOwner;

/**
 * The header with every token of this browser. It is sent where there is none, too: pages of other sites may not.
 *
 * @returns {Record<string, string>}
 */
export function ownerHeaders() {
  const tokens = [...ownerTokens(), ...Object.values(read(RUNS)), ...tokensOfSets()];
  return { "X-Owner": [...new Set(tokens)].join(",") || "-" }; // some proxies leave out what is empty
}

/** @returns {string[]} */
const ownerTokens = () => read(OWNER).tokens ?? [];

/**
 * The link that gives another device control of a run.
 *
 * @param {string} link
 * @param {string} runId
 * @param {string} token
 */
export const controlLink = (link, runId, token) => `${link}#control=${runId}:${token}`;

/** Keep the token of the link that opened this page, and of one that is opened in it later. */
export function keepTokensOfLinks() {
  takeFromAddress();
  // The same link may be opened in a page that is already there: only what stands behind the # changes then.
  addEventListener("hashchange", () => takeFromAddress() && location.reload());
}

/** Take the token of a link out of the address and keep it. */
function takeFromAddress() {
  const owner = OWNERS.exec(location.hash);
  const control = CONTROL.exec(location.hash);
  if (owner) write(OWNER, { tokens: [...new Set([owner[1], ...ownerTokens()])].slice(0, MOST_OWNERS) });
  if (control) rememberToken(control[1], control[2]);
  if (owner || control) history.replaceState(history.state, "", location.pathname + location.search);
  return Boolean(owner || control);
}

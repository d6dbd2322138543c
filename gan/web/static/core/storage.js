// What this browser keeps between visits: the only door to localStorage. Where that is closed, as in some frames and private
// windows, values live as long as the page.

const PREFIX = "gan-forge-";
/** @type {Record<string, string>} */
const FORMER_KEYS = { charts: "gf-charts" }; // what earlier versions wrote

const memory = new Map(); // what could not be kept

/**
 * The object that is kept under a name; {} where there is none, or where it was spoiled.
 *
 * @param {string} name
 * @returns {Record<string, any>}
 */
export function read(name) {
  if (memory.has(name)) return { ...memory.get(name) };
  try {
    const text = localStorage.getItem(PREFIX + name) ?? localStorage.getItem(FORMER_KEYS[name] ?? PREFIX + name);
    const found = JSON.parse(text ?? "{}");
    return found && typeof found === "object" ? found : {};
  } catch {
    return {};
  }
}

/**
 * Keep an object under a name; false: only until the page closes.
 *
 * @param {string} name
 * @param {Record<string, any>} value
 */
export function write(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
    memory.delete(name);
    return true;
  } catch {
    memory.set(name, value);
    return false;
  }
}

/** Does this window keep anything until it is loaded again? */
export function keeps() {
  const key = `${PREFIX}probe`;
  try {
    localStorage.setItem(key, key);
    const kept = localStorage.getItem(key) === key;
    localStorage.removeItem(key);
    return kept;
  } catch {
    return false;
  }
}

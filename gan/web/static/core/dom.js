// Small elements.

/** What a translating browser must leave alone: drawings, code, and what scripts write anew; gan/web/tabs/island.py. */
const NOT_TRANSLATED = /^(canvas|output|textarea|kbd) | (gf-num|gf-class)\b/;

/**
 * An element. Strings become text nodes, never markup. Keys starting with "on" are listeners.
 *
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...any} children
 * @returns {any} of the tag's own kind
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  setProps(element, props);
  if (NOT_TRANSLATED.test(`${tag} ${props?.class}`)) element.translate = false;
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * @param {any} element
 * @param {Record<string, any>} [props]
 */
function setProps(element, props) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on") && typeof value === "function") element.addEventListener(key.slice(2).toLowerCase(), value);
    else if (key === "class") element.className = value;
    else if (key === "style" && typeof value === "object") Object.assign(element.style, value);
    else if (key === "dataset") Object.assign(element.dataset, value);
    else if (key === "text") element.textContent = value;
    else if (key in element && !key.includes("-") && key !== "list" && key !== "form") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  return element;
}

/**
 * Set text only when it differs, so that nothing is laid out again for nothing.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const PHONE = "(width <= 860px)"; // as in css/tokens.css

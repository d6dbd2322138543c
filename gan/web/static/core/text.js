// What people read, in the language of the page. The server sends the catalogue once (boot); gan/core/messages.py makes
// the same texts in English.

/** @typedef {string | Record<string, string>} Entry a text with places in braces, or such texts by plural category */
/** @typedef {{key: string, values: Record<string, any>}} Message where a text of an answer comes from */

const ENGLISH = "en";
const LOCALE = "en-GB"; // of our English: no comma before "and", the day before the month
const PLACE = /\{(\w+)(?::(\w+))?\}/g;

let language = ENGLISH;
let locale = LOCALE;
/** @type {Record<string, Record<string, Entry>>} */
let catalogue = {};
/** @type {Intl.PluralRules} */
let plurals = new Intl.PluralRules(ENGLISH);
/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/**
 * From now on everything is said in this language: {area: {key: entry}}.
 *
 * @param {Record<string, Record<string, Entry>>} areas
 * @param {string} [lang]
 */
export function useText(areas, lang = ENGLISH) {
  [catalogue, language, locale] = [areas, lang, lang === ENGLISH ? LOCALE : lang];
  plurals = new Intl.PluralRules(locale);
  formats.clear();
}

/**
 * The text "area.key"; {name} in it is replaced by values.name, which of several plural forms it is by values.count.
 *
 * @param {string} key
 * @param {Record<string, any>} [values]
 * @param {string} [fallback] where there is no such entry
 * @returns {string}
 */
export function t(key, values = {}, fallback = key) {
  const dot = key.indexOf(".");
  /** @type {Entry | undefined} */
  const entry = own(own(catalogue, key.slice(0, dot)), key.slice(dot + 1)); // the key may be from a stranger's file
  if (entry === undefined) return fallback;
  const text = typeof entry === "string" ? entry : (entry[plurals.select(Number(values.count))] ?? entry.other);
  return text.replace(PLACE, (place, name, format) => (name in values ? filled(values[name], format) : place));
}

/**
 * @param {any} table
 * @param {string} key
 */
const own = (table, key) => (table !== undefined && Object.hasOwn(table, key) ? table[key] : undefined);

/**
 * @param {any} value
 * @param {string | undefined} format
 * @returns {string}
 */
function filled(value, format) {
  const plain = Array.isArray(value) ? value.map(said) : said(value);
  if (format) return (FORMATS[format] ?? String)(plain);
  return Array.isArray(plain) ? plain.join(", ") : String(plain);
}

/** @param {any} value a number, a text, or a message among the values of another */
const said = (value) => (typeof value?.key === "string" ? t(value.key, value.values) : value);

/**
 * What the server answered, with each of its messages in the language of the page.
 *
 * @template Content
 * @param {Content} content JSON; an object's `messages` says where its texts come from
 * @returns {Content}
 */
export function localised(content) {
  return language === ENGLISH ? content : translated(content);
}

/**
 * @param {any} content
 * @returns {any}
 */
function translated(content) {
  if (content === null || typeof content !== "object" || typeof content[0] === "number") return content;
  if (Array.isArray(content)) return content.map(translated);
  const { messages = {}, ...others } = content;
  const texts = Object.entries(others).map(([name, value]) => [name, ofMessage(messages[name], value) ?? translated(value)]);
  return Object.fromEntries(texts);
}

/**
 * @param {Message | (Message | null)[] | undefined} message
 * @param {any} value the same in English
 * @returns {any} null where there is none
 */
function ofMessage(message, value) {
  if (Array.isArray(message))
    return value.map((/** @type {any} */ text, /** @type {number} */ i) => ofMessage(message[i] ?? undefined, text) ?? text);
  return message ? t(message.key, message.values, value) : null;
}

// Numbers -------------------------------------------------------------------------------------------------------------

/**
 * A number as the language writes it.
 *
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 */
export function number(value, options = {}) {
  const kind = JSON.stringify(options);
  const format = formats.get(kind) ?? new Intl.NumberFormat(locale, options);
  formats.set(kind, format);
  return format.format(value);
}

/**
 * A day, or a time of the day, as the language writes it.
 *
 * @param {Date} date
 * @param {Intl.DateTimeFormatOptions} options
 */
export const moment = (date, options) => new Intl.DateTimeFormat(locale, options).format(date);

/**
 * So many digits after the point.
 *
 * @param {number} value
 * @param {number} [digits]
 */
export function fixed(value, digits = 2) {
  const text = number(Math.abs(value), { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
}

/**
 * As C's %g has it: with an exponent where the number is very small or large.
 *
 * @param {number} digits
 */
const significant = (digits) => (/** @type {number} */ value) => {
  const size = Math.abs(Number(value.toPrecision(digits)));
  const plain = size === 0 || (size >= 1e-4 && size < 10 ** digits);
  if (plain) return number(value, { maximumSignificantDigits: digits, useGrouping: false });
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const power = exponent.replace(/\d+/, (places) => places.padStart(2, "0"));
  return `${number(Number(mantissa), { maximumSignificantDigits: digits })}e${power}`;
};

/** @param {Intl.ListFormatType} type */
const list = (type) => (/** @type {string[]} */ items) => new Intl.ListFormat(locale, { type }).format(items);

// What a place may ask for; gan/core/messages.py has the same.
/** @type {Record<string, (value: any) => string>} */
const FORMATS = {
  integer: (value) => number(value, { maximumFractionDigits: 0 }),
  fixed1: (value) => fixed(value, 1),
  fixed2: (value) => fixed(value, 2),
  fixed4: (value) => fixed(value, 4),
  significant3: significant(3),
  number: significant(6),
  percent: (share) => `${fixed(100 * share, 0)}\u00a0%`,
  and: list("conjunction"),
  or: list("disjunction"),
  row: (sentences) => sentences.join(" "),
};

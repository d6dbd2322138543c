// The strings of the interface: the server sends them once (boot).

let words = {};

/** From now on t() speaks these: {section: {key: string}}. */
export function useText(table) {
  words = table;
}

/** The interface string "section.key"; {name} in it is replaced by values.name. */
export function t(key, values = {}, fallback = key) {
  const found = key.split(".").reduce((table, part) => table?.[part], words);
  const text = typeof found === "string" ? found : fallback;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

// The picture of the Latent sliders tab in words, for who does not see it: what it is of, where it comes from, what moves it.

import { fixed, signed } from "../core/format.js";
import { t } from "../core/text.js";

/** Some sentences. `start` says where the noise comes from when it is not the seed's; `nameOf` names a direction by its key. */
export function describe(spec, about, start, nameOf) {
  const { walk, fixed: held, locked, psi, mix } = spec;
  const pushed = amounts(spec).map(([key, amount]) => `${nameOf(key)} ${signed(amount)}`);
  const sentences = [
    subject(spec, about),
    start,
    mix && t("latent.words_mix", { name: about.class_names[mix[0]], share: Math.round(100 * mix[1]) }),
    pushed.length && t("latent.words_pushed", { list: pushed.join(", ") }),
    locked.size && t("latent.words_locked", { list: [...locked].map(nameOf).join(", ") }),
    held.size && t("latent.words_held", { count: held.size }),
    psi !== 1 && t("latent.words_psi", { psi: fixed(psi) }),
    walk.length && t("latent.words_walk", { count: walk.length }),
  ];
  return sentences.filter(Boolean).join(" ");
}

function subject({ seed, label, base, sheet }, about) {
  const name = about.class_names[label];
  const key = base || sheet ? "picture" : "picture_of";
  return `${t(`latent.${key}${label === undefined ? "" : "_class"}`, { seed, name })}.`;
}

/** [key, amount] of every direction that moves the picture. */
const amounts = ({ principal, pushes }) =>
  [
    ...[...principal].map(([key, amount]) => [String(key), amount]),
    ...[...pushes].map(([key, { amount }]) => [key, amount]),
  ].filter(([, amount]) => amount);

/** Where the noise comes from; "" when it is the seed's. */
export function startOf({ base, sheet, seed }, about) {
  if (!sheet) return base ? t("latent.found_note") : "";
  const [name, row] = sheet;
  return t(`share.from_${name}`, { i: row + 1, seed, count: about.studied });
}

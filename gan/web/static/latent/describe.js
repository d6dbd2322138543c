// The picture of the Latent sliders tab in words, for who does not see it: what it is of, where it comes from, what moves it.

import { signed } from "../core/format.js";
import { t } from "../core/text.js";

/** Some sentences. `start` says where the noise comes from when it is not the seed's; `nameOf` names a direction by its key. */
export function inWords(state, about, start, nameOf) {
  const { m, z, lock, psi, mix } = state;
  const pushed = pushes(state).map(([key, amount]) => `${nameOf(key)} ${signed(amount)}`);
  const sentences = [
    subject(state, about),
    state.from && start,
    mix && t("latent.words_mix", { name: about.class_names[mix[0]], share: Math.round(100 * mix[1]) }),
    pushed.length && t("latent.words_pushed", { list: pushed.join(", ") }),
    lock.size && t("latent.words_locked", { list: [...lock].map(nameOf).join(", ") }),
    z.size && t("latent.words_held", { count: z.size }),
    psi !== 1 && t("latent.words_psi", { psi: psi.toFixed(2) }),
    m.length && t("latent.words_walk", { count: m.length }),
  ];
  return sentences.filter(Boolean).join(" ");
}

function subject({ seed, c, from }, about) {
  const name = about.class_names[c];
  const key = from ? "picture" : "picture_of";
  return `${t(`latent.${key}${c === undefined ? "" : "_class"}`, { seed, name })}.`;
}

/** [key, amount] of every direction that moves the picture. */
const pushes = ({ d, u }) =>
  [...[...d].map(([key, amount]) => [String(key), amount]), ...[...u].map(([key, { amount }]) => [key, amount])].filter(
    ([, amount]) => amount,
  );

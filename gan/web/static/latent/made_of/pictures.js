// What the card's sections have in common: a picture with words under it, and the pictures of an answer.

import { h } from "../../core/dom.js";
import { bytesOf } from "../../engine/vector.js";

/** {element, canvas, caption}. words: what it is, until there is more to say of it. */
export function picture(words) {
  const canvas = h("canvas", { class: "gf-canvas", role: "img", "aria-label": words });
  const caption = h("figcaption", { class: "gf-hint gf-num" });
  return { element: h("figure", { class: "gf-made-picture" }, canvas, caption), canvas, caption };
}

/** Pictures of an answer as `putPicture` takes them. */
export function drawnOf({ images, shape }) {
  const [count, channels, size] = shape;
  return { pixels: bytesOf(images), count, channels, size };
}

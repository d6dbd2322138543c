// The menu of what can be downloaded of a run.

import { h } from "../core/dom.js";
import { saveFile } from "../core/files/downloads.js";
import { megabytes, whole } from "../core/format.js";
import { url } from "../core/server.js";
import { t } from "../core/text.js";

const DOWNLOADS = [
  ["weights.safetensors", "download_weights"],
  ["weights-best.safetensors", "download_best"],
  ["history.csv", "download_history"],
  ["timelapse.gif", "download_gif"],
  ["timelapse.mp4", "download_mp4"],
  ["run.zip", "download_zip"],
];

/** list: the menu's element. best: the step with the best FID, or null. pictures: bytes of own pictures that may be taken along. */
export function showDownloads(list, { id, best, pictures }) {
  const shown = `${id} ${best} ${pictures}`;
  if (list.dataset.of === shown) return;
  list.dataset.of = shown;
  const links = DOWNLOADS.filter(([, key]) => key !== "download_best" || best !== null).map(([file, key]) => {
    const words = t(`train.${key}`, { step: whole(best ?? 0) });
    return h("a", { class: "gf-menu-item", href: url(`runs/${id}/download/${file}`), onclick: saveFile }, words);
  });
  list.replaceChildren(...links, ...(pictures ? [withPictures(links.at(-1), pictures)] : []));
}

/** Whether the zip of a run is to hold the pictures that it learns from: not unless it is wished. */
function withPictures(link, bytes) {
  const plain = link.href;
  const choose = ({ target }) => (link.href = target.checked ? `${plain}?pictures=1` : plain);
  const words = t("train.download_pictures", { size: megabytes(bytes) });
  return h("label", { class: "gf-check gf-menu-tick" }, h("input", { type: "checkbox", onchange: choose }), words);
}

// Where the page begins: what belongs to no tab. Each tab's own script is mounted when the tab is first opened.

import { followAddress } from "./core/address.js";
import { start } from "./core/boot.js";
import { listenForShortcuts } from "./core/controls/shortcuts.js";
import { keepSmoothness } from "./core/controls/smooth_choice.js";
import { guardSliders } from "./core/controls/touch_sliders.js";
import { listenForDrops } from "./core/files/drops.js";
import { keepLanguage, listenForTabKeys, view } from "./core/gradio_shell.js";
import { listenForLanguage } from "./core/language.js";
import { addressHides, hide } from "./core/lesson.js";
import { keepTokensOfLinks } from "./core/tokens.js";

let isOpen = false;

/** Called by the page itself and by each tab, whichever comes first; only the first call does anything. */
export function open() {
  if (isOpen) return;
  isOpen = true;
  keepLanguage();
  keepTokensOfLinks();
  followAddress();
  listenForShortcuts();
  guardSliders();
  keepSmoothness();
  listenForDrops();
  listenForTabKeys();
  listenForLanguage();
  hide(addressHides());
  if (view() === "projector") start(async (data) => (await import("./lesson/projector.js")).open(data));
  else start(async (data) => data.lesson && (await import("./lesson/lesson.js")).open(data));
}

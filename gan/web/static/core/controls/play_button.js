// A button that plays and pauses: its icon and its name say what a press does.

import { icon } from "./icons.js";

const [PLAY, PAUSE] = ["M3 1.5v13l11-6.5z", "M3 2h4v12H3zM9 2h4v12H9z"];

/**
 * Make it one; call what is returned with true while something plays.
 *
 * @param {HTMLElement} button
 * @param {(playing: boolean) => string} nameOf
 * @returns {(playing: boolean) => void}
 */
export function playButton(button, nameOf) {
  const path = button.appendChild(icon({ path: { d: PLAY } })).firstElementChild;
  return (playing) => {
    if (button.dataset.playing === String(playing)) return;
    const name = nameOf(playing);
    path?.setAttribute("d", playing ? PAUSE : PLAY);
    button.dataset.playing = String(playing);
    button.title = name;
    button.setAttribute("aria-label", name);
  };
}

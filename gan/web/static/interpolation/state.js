// What the Interpolation tab shows: the weights, the row of pictures, and what is made of it. The address says all of it.

import { MAX_LEG, MAX_PATH } from "../engine/constants.js";
import { keyframesQuery, readKeyframes } from "../engine/keyframes.js";

/**
 * @typedef {object} State
 * @property {string | undefined} w id of the weights
 * @property {import("../engine/latent_spec.js").LatentSpec[]} keyframes
 * @property {string} mode one of MODES: how the path leads from picture to picture
 * @property {number} frames pictures of a leg, both its keyframes among them
 * @property {boolean} loop whether the path comes back to its beginning
 * @property {boolean} boomerang whether the player goes back where the path ends
 * @property {number} fps
 * @property {number | undefined} scale of what is exported; undefined: the usual one
 * @property {string} show one of SHOWS
 * @property {number[]} at shares of B and C on the map
 * @property {number | "classes"} grid cells in a row, or pictures by classes
 */

const MODES = ["slerp", "lerp", "smooth"];
const SHOWS = ["walk", "map", "sum", "grid"];
const SPEEDS = [5, 10, 20, 30];
const USUAL = { frames: 24, fps: 20, grid: 5 };
const LARGEST_SHARE = 2; // so far beyond the three pictures the map reaches
export const MIDDLE = [1 / 3, 1 / 3]; // of the three

/**
 * How many pictures a leg may have.
 *
 * @param {Pick<State, "keyframes" | "loop">} state
 */
export function mostFrames({ keyframes, loop }) {
  const most = Math.floor((MAX_PATH - (loop ? 0 : 1)) / (loop ? keyframes.length : keyframes.length - 1)) + 1;
  return Math.min(most, MAX_LEG);
}

/**
 * A state from the address; whatever cannot be read there is as usual.
 *
 * @param {Record<string, string>} address
 * @returns {State}
 */
export function readAddress(address) {
  const [frames, fps] = [Number(address.frames ?? USUAL.frames), Number(address.fps ?? USUAL.fps)];
  const at = (address.at ?? "").split(",").map(Number);
  /** @type {State} */
  const state = {
    w: address.w,
    keyframes: readKeyframes(address),
    mode: MODES.includes(address.mode) ? address.mode : MODES[0],
    frames: Math.max(Number.isInteger(frames) ? frames : USUAL.frames, 2),
    loop: address.loop === "1",
    fps: SPEEDS.includes(fps) ? fps : USUAL.fps,
    boomerang: address.boomerang !== "0",
    scale: Number(address.scale) || undefined,
    show: SHOWS.includes(address.show) ? address.show : SHOWS[0],
    at: at.length === 2 && at.every((share) => Math.abs(share) <= LARGEST_SHARE) ? at : MIDDLE,
    grid: address.grid === "classes" ? "classes" : Number(address.grid ?? USUAL.grid),
  };
  return { ...state, frames: Math.min(state.frames, mostFrames(state)) };
}

/**
 * What the server is asked for the path with.
 *
 * @param {State} state
 */
export const pathQuery = ({ w, keyframes, mode, frames, loop }) => ({
  w,
  ...keyframesQuery(keyframes),
  mode,
  frames,
  loop: loop ? 1 : "",
});

/**
 * The inverse of readAddress, of what is not as usual.
 *
 * @param {State} state
 */
export function addressOf(state) {
  const { fps, boomerang, scale, show, at, grid } = state;
  const views = {
    show: show === SHOWS[0] ? "" : show,
    at: String(at) === String(MIDDLE) ? "" : at.join(","),
    grid: grid === USUAL.grid ? "" : grid,
  };
  return { ...pathQuery(state), fps: fps === USUAL.fps ? "" : fps, boomerang: boomerang ? "" : "0", scale, ...views };
}

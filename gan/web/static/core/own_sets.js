// The prepared sets of own pictures that this browser knows: they stay in the menu after a reload.
//
// A set: {id, upload, found, edited, changes}. found: what the server answered when it was prepared ({dataset, title, count,
// message, classes, size, channels, fit, token}); edited: the same after its classes were changed, or null; changes: old class
// -> new one ("" leaves it out); upload: under which the server still keeps the files, "" when it does no longer; shrunk: how
// many photos were made smaller before they were sent.

import { read, write } from "./storage.js";

/** @typedef {{id: string, upload: string, found: any, edited: any, changes: Record<string, string>, shrunk?: number}} OwnSet */

const SETS = "pictures";
const MOST_SETS = 20;

/** @returns {OwnSet[]} */
export function keptSets() {
  const { sets } = read(SETS);
  return Array.isArray(sets) ? sets : [];
}

/**
 * What the networks are given of a set.
 *
 * @param {OwnSet} set
 */
export const shownOf = ({ found, edited }) => edited ?? found;

/**
 * The names of a set on the server: as it was found, and as its classes were changed.
 *
 * @param {OwnSet} set
 * @returns {string[]}
 */
export const namesOf = ({ found, edited }) => [...new Set([edited?.dataset, found.dataset].filter(Boolean))];

/** Under which the server keeps this browser's files, "" when it does not: those of one set at a time. */
export const keptUpload = () => keptSets().find(({ upload }) => upload)?.upload ?? "";

/**
 * The newest last; pictures that were prepared before as exactly these are one set with them.
 *
 * @param {OwnSet} set
 */
export function keepSet(set) {
  const names = namesOf(set);
  const others = keptSets().filter((other) => other.id !== set.id && !namesOf(other).some((name) => names.includes(name)));
  const kept = set.upload ? others.map((other) => ({ ...other, upload: "" })) : others;
  write(SETS, { sets: [...kept, set].slice(-MOST_SETS) });
}

/** @param {string} id */
export const forgetSet = (id) => write(SETS, { sets: keptSets().filter((set) => set.id !== id) });

/** The owner's tokens of all sets. */
export const tokensOfSets = () => keptSets().flatMap(({ found, edited }) => [found.token, edited?.token].filter(Boolean));

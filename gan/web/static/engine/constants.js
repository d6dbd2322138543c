// Numbers and names that are the server's as well: links, files and pictures depend on them. tests/web/test_scripts.py compares
// each with the one in Python; what is only said to the server comes from `boot` (limits) instead. No DOM in here.

// gan/core: seeds, and what they are drawn for.
export const MAX_SEED = 2 ** 31 - 1;
export const STREAMS = { latent: 11, neighbour: 12 };
export const SHEETS = { tile: { stream: 3, latents: 40 }, study: { stream: 13, latents: 1000 } }; // pictures drawn at once

// gan/latent: what a link says of a picture, and how far it may go.
export const RING = 16; // neighbours on one circle
export const MAX_RINGS = 64;
export const MAX_STEPS = 64; // of a walk
export const MAX_VALUE = 10; // of an amount, or a single number
export const MAX_PUSHES = 12;
export const MAX_KEY = 60; // letters of a direction's name
export const SPEC_KEYS = ["m", "d", "z", "u", "lock", "psi", "mix", "from"]; // beside weights, seed and class
export const PICTURE_KEYS = ["seed", "c", ...SPEC_KEYS];

// gan/web/routes: paths through keyframes, and sums of them.
export const LETTERS = "abcdefghijkl"; // the keyframes' names
export const MAX_LEG = 240; // pictures, both keyframes among them
export const MAX_PATH = 480;
export const MAX_SUMS = 320;

// gan/models, gan/serving: drawing, and what comes from the server or stands in a file.
export const CODE_SHARPNESS = 100; // of the votes for a group, or for a value of an attribute
export const STRIP = [-3, -2, -1, 0, 1, 2, 3]; // amounts of a direction that a strip of pictures shows
export const PAGE_FORMAT = 2; // of weights for the page
export const PROVENANCE = { program: "GAN Forge", key: "gan-forge", version: 1, scale: 16 }; // of a saved picture

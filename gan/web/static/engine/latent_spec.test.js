// One grammar for every link: the same golden links as tests/latent/test_query.py, and what only the page does with specs.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { queryOf } from "../core/query.js";
import { PICTURE_KEYS } from "./constants.js";
import { keyframesQuery, readKeyframes } from "./keyframes.js";
import { LatentSpec } from "./latent_spec.js";
import { Vector } from "./vector.js";

const GOLDEN = JSON.parse(readFileSync(new URL("../../../../tests/latent/golden_links.json", import.meta.url), "utf8"));
const VECTOR = "ADwAwAA4AAA"; // four numbers
const WEIGHTS = { z_dim: 4, classes: 10, directions: ["a", "b"] };

const parse = (link) => LatentSpec.parse(Object.fromEntries(new URLSearchParams(link)));
const written = (spec) => queryOf(spec.toQuery());
const numbered = (pairs) => [...pairs].map(([key, value]) => [String(key), value]).sort();

/** As the golden links list it. */
function listed({ seed, label, walk, principal, fixed, pushes, locked, psi, mix, base, sheet }) {
  const push = ([key, { amount, vector, regroups }]) => [key, amount, [...vector.numbers], regroups];
  const [start, held] = [base && [...base.numbers], [numbered(principal), numbered(fixed)]];
  return { seed, label, walk, held, pushes: [...pushes].map(push), locked: [...locked].sort(), psi, mix, base: start, sheet };
}

function expected({ principal = {}, fixed = {}, locked = [], ...spec }) {
  const usual = { seed: 0, label: undefined, walk: [], pushes: [], psi: 1, mix: null, base: null, sheet: null };
  const held = [numbered(Object.entries(principal)), numbered(Object.entries(fixed))];
  return { ...usual, ...spec, held, locked: locked.toSorted() };
}

for (const { link, spec, written: text = link } of GOLDEN.links)
  test(`"${link.slice(0, 60)}" says what the server reads, and is written letter for letter`, () => {
    const found = parse(link);
    assert.deepEqual(listed(found), expected(spec));
    assert.deepEqual(found.unread, {});
    assert.equal(written(found), text);
    assert.ok(parse(text).equals(found));
  });

for (const { link, unread, cleaned } of GOLDEN.damaged)
  test(`"${link.slice(0, 60)}" is left to the server, or shown without what is damaged`, () => {
    const found = parse(link);
    assert.deepEqual(Object.keys(found.unread), unread);
    assert.equal(written(found.readable()), cleaned);
    const given = Object.fromEntries(new URLSearchParams(link));
    for (const key of unread) assert.equal(found.toQuery()[key], given[key]);
    assert.equal(found.fits({ z_dim: 3, classes: 0, directions: Array(8) }), false);
  });

for (const { link, keyframes } of GOLDEN.paths)
  test(`the path "${link.slice(0, 60)}" leads through the pictures that the server reads`, () => {
    const found = readKeyframes(Object.fromEntries(new URLSearchParams(link)));
    assert.deepEqual(found.map(written), keyframes);
    assert.equal(queryOf(keyframesQuery(found)), link);
  });

test("what is damaged about a keyframe stays as it came, for the server to refuse", () => {
  const link = "a=1&b=2&ad=x,0:1&bpsi=much";
  assert.equal(queryOf(keyframesQuery(readKeyframes(Object.fromEntries(new URLSearchParams(link))))), link);
});

test("whatever is said of a picture comes back from its link, in the order of its keys", () => {
  const random = seeded(5);
  for (let i = 0; i < 1000; i++) {
    const spec = randomSpec(random);
    const link = written(spec);
    assert.equal(written(parse(link)), link);
    assert.deepEqual(listed(parse(link)), listed(spec));
    const keys = link.split("&").map((part) => part.split("=")[0]);
    assert.deepEqual(
      keys,
      PICTURE_KEYS.filter((key) => keys.includes(key)),
    );
  }
});

test("any text at all is read, and what is written of it is read the same", () => {
  const random = seeded(7);
  const letters = [..."0123456789:,.-+eg_tilesudyknaf é\0x"];
  for (let i = 0; i < 3000; i++) {
    const text = () => Array.from({ length: Math.floor(20 * random()) }, () => letters[Math.floor(letters.length * random())]);
    const found = LatentSpec.parse(Object.fromEntries(PICTURE_KEYS.map((key) => [key, text().join("")])));
    const again = written(found.readable());
    assert.equal(written(parse(again)), again);
    assert.ok(found.psi >= 0 && found.psi <= 1 && found.seed >= 0);
    found.readable().fits(WEIGHTS);
  }
});

test("a spec never changes, and shares with another what is the same", () => {
  const spec = parse(`seed=5&d=0:1&u=a:1:${VECTOR}`);
  assert.throws(() => Object.assign(spec, { seed: 6 }), TypeError);
  const other = spec.with({ seed: 6 });
  assert.deepEqual([spec.seed, other.seed, other.principal], [5, 6, spec.principal]);
  assert.equal(other.pushes, spec.pushes);
  assert.ok(other.with({ seed: 5 }).equals(spec) && !other.equals(spec));
});

test("what moves a picture can be taken from it; where it starts, and as which class, stays", () => {
  const moved = parse(`seed=7&c=3&m=4:0.5&d=0:1&z=1:2&u=slant:1:${VECTOR}&lock=slant&psi=0.5&mix=4:0.5&from=${VECTOR}`);
  assert.deepEqual(moved.unread, {});
  assert.ok(PICTURE_KEYS.every((key) => moved.toQuery()[key]));
  assert.equal(written(moved.unmoved()), `seed=7&c=3&from=${VECTOR}`);
});

test("along a direction only its amount is another", () => {
  const spec = parse(`seed=5&d=0:1&u=a:1:${VECTOR}:g,b:0:${VECTOR}`);
  assert.equal(written(spec.along("1", -2)), `seed=5&d=0:1,1:-2&u=a:1:${VECTOR}:g`);
  assert.equal(written(spec.along("a", 3)), `seed=5&d=0:1&u=a:3:${VECTOR}:g`);
  assert.equal(spec.along("nobody", 3), spec);
  assert.equal(spec.toQuery(["b"]).u, `a:1:${VECTOR}:g,b:0:${VECTOR}`); // asked for by name, though it pushes by nothing
});

test("what other weights do not know is left out, and the rest stays; what they know is the very same spec", () => {
  const strange = parse("seed=1&c=12&d=2:1,1:2&z=4:1,3:1&u=a:1:ADwAwA&lock=a,0,7&psi=0.5&mix=10:0.5&from=ADwAwA");
  assert.equal(written(strange.fitTo(WEIGHTS)), "seed=1&c=9&d=1:2&z=3:1&lock=0&psi=0.5");
  assert.equal(written(strange.fitTo({ ...WEIGHTS, classes: 0 })), "seed=1&d=1:2&z=3:1&lock=0&psi=0.5");
  assert.equal(strange.fits(WEIGHTS), false);
  const known = parse(`seed=1&c=2&d=1:1&z=3:1&u=a:1:${VECTOR}&lock=a&mix=9:0.5&from=${VECTOR}`);
  assert.equal(known.fitTo(WEIGHTS), known);
  assert.equal(known.fits(WEIGHTS), true);
  assert.equal(parse("seed=1&c=1&from=tile:3").fits(WEIGHTS), true);
  assert.equal(new LatentSpec().fitTo(WEIGHTS).label, 0);
});

test("a vector keeps its text, and has numbers if it is one", () => {
  assert.deepEqual(new Vector("ADwAwAA4").numbers, Float32Array.of(1, -2, 0.5)); // 0x3c00, 0xc000, 0x3800
  for (const wrong of ["", "A", "AD", "AD!w", "ADwA="]) assert.equal(new Vector(wrong).numbers, null);
  assert.deepEqual([new Vector(VECTOR).length, new Vector(VECTOR).text], [4, VECTOR]);
});

/** Numbers from 0 to 1, always the same ones. */
function seeded(state) {
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function randomSpec(random) {
  const whole = (most) => Math.floor(most * random());
  const value = (reach) => Number((reach * (2 * random() - 1)).toFixed(whole(7))) || 0;
  const map = (most, keys) => new Map(Array.from({ length: whole(most) }, () => [whole(keys), value(10)]));
  const some = (make) => (random() < 0.5 ? make() : undefined);
  const names = ["slant", "my own", "class-3", "größe", "a&b=c", "100%", "+"].slice(whole(7));
  const pushes = names.map((key) => [key, { amount: value(10) || 1, vector: new Vector(VECTOR), regroups: random() < 0.5 }]);
  const start = some(() => (random() < 0.5 ? { base: new Vector(VECTOR) } : { sheet: ["study", whole(1000)] }));
  return new LatentSpec({
    seed: whole(2 ** 31),
    label: some(() => whole(10)),
    walk: Array.from({ length: whole(4) }, () => [whole(1024), Math.abs(value(1))]),
    principal: map(5, 8),
    fixed: map(9, 1024),
    pushes: new Map(pushes),
    locked: new Set([...names.slice(whole(4)), ...(some(() => ["3"]) ?? [])]),
    psi: some(random) ?? 1,
    mix: some(() => [whole(10), Math.abs(value(1))]) ?? null,
    ...start,
  });
}

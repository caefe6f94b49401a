// How far each of several masks is to be believed, and what a patient is told of all: tests/golden/units.json, and what is shown.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as core from "../generated/core/core.mjs";
import { bytesOf, INT8, jsonOf, repository, WASM } from "./files.mjs";

const { trust: vectors, region_trust: sets } = jsonOf(repository("tests/golden/units.json"));
const quiet = { cancelled: () => false, done: () => undefined };
const NO_RULES = { min_area_px: 0, min_volume_px: 0, min_share: 0 };
const [SURE, UNSURE, ALIKE] = [0, 7, 1];
let base;

before(async () => {
  core.setUp(bytesOf(WASM));
  ({ contract: base } = await core.readModel(bytesOf(INT8)));
});

const verdictOf = (number) => {
  const { trust, slices, width } = vectors[number];
  const tally = new core.OutputTally(trust);
  for (const slice of slices) tally.add(Float32Array.from(slice), width);
  return core.judge(tally.counts, trust);
};

for (const [number, { names, masks, ...wanted }] of sets.entries()) {
  test(`set ${number}: several masks mean together what they mean in Python`, () => {
    const told = core.joined(names.map((name, place) => [name, masks[place] === null ? null : verdictOf(masks[place])]));
    const { diceExpected, look, because, why, factors } = told ?? { diceExpected: null, look: false, because: "", why: "", factors: null };
    assert.deepEqual([look, because, why, factors], [wanted.look, wanted.because, wanted.why, null]);
    assert.equal(told === null, masks.every((one) => one === null));
    if (wanted.dice_expected === null) assert.equal(diceExpected, null);
    else assert.ok(Math.abs(diceExpected - wanted.dice_expected) <= 1e-12, `${diceExpected}, ${wanted.dice_expected}`);
  });
}

test("the sets hold patients that are to be looked at, others, and such of whom nothing is known", () => {
  assert.deepEqual(new Set(sets.map((one) => one.because)), new Set(["", "log_unsure_border", "nothing-found"]));
  assert.ok(sets.some((one) => one.masks.every((mask) => mask === null)));
});

/** A mask: which vector has its logits (null for none above any level), and whether its numbers are known. */
const mask = (name, from, change = {}) => ({ name, from, label: 1, channels: [0], threshold: 0.5, post_processing: NO_RULES, colour: [], trust: vectors[from ?? SURE].trust, ...change });
const contractOf = (regions) => ({ ...base, height: 12, width: 12, regions: regions.map((one, at) => ({ ...one, label: at + 1 })), trust: null });
const grey = { height: 12, width: 12, bytes: Uint8Array.from({ length: 12 * 12 * 3 }, (_, at) => at % 251) };
const segmented = (regions, whole = true) => {
  let next = 0;
  const planes = (slice) => regions.flatMap(({ from }) => (from === null ? Array(144).fill(-9) : vectors[from].slices[slice]));
  const engine = { contract: contractOf(regions), logits: async () => Float32Array.from(planes(next++)) };
  return core.segment(engine, { count: 3, channels: core.LGG, whole, pixelMm: null, slice: () => grey }, quiet);
};
const scan = (change = {}) => ({ name: "x", count: 3, channels: core.LGG, on: 1, whole: true, pixelMm: [1, 1], sliceMm: 1, reference: null, sliceNames: ["a", "b", "c"], warnings: [], slice: () => grey, ...change });
const resultOf = async (regions, change) => core.resultOf(scan(change), await segmented(regions), contractOf(regions), 1);
const tableOf = async (regions, whole = true) => {
  const contract = contractOf(regions);
  const ready = { masks: core.masksOf(contract), network: "n", target: "t", sha256: "0", intendedUse: "research" };
  const { bytes } = core.csvFile({ ready, model: { contract } }, scan(), await segmented(regions, whole));
  return new TextDecoder().decode(bytes).trim().split("\r\n").map((line) => line.split(","));
};

test("each mask is counted on its own logits while slices run", async () => {
  const regions = [mask("whole", SURE), mask("core", ALIKE, { trust: null }), mask("enhancing", UNSURE)];
  const { verdict, verdicts, unsure } = await segmented(regions);
  assert.deepEqual(verdicts, [verdictOf(SURE), null, verdictOf(UNSURE)]);
  assert.deepEqual(verdict, core.joined([["whole", verdictOf(SURE)], ["core", null], ["enhancing", verdictOf(UNSURE)]]));
  const between = (from, at) => (logit) => logit > at(vectors[from].trust.low) && !(logit > at(vectors[from].trust.high));
  const wanted = vectors[SURE].slices.map((slice, index) => slice.map((logit, at) => (between(SURE, core.levelOf)(logit) || between(UNSURE, core.levelOf)(vectors[UNSURE].slices[index][at]) ? 1 : 0)));
  assert.deepEqual(unsure.map((one) => [...one]), wanted, "unsure is where one of those is of which something is told");
  const lone = await segmented(regions, false);
  assert.deepEqual([lone.verdict, lone.verdicts, lone.unsure], [null, [null, null, null], []]);
});

test("each class has its interval and expected Dice, and the patient no interval", async () => {
  const { found, trusted, unsure } = await resultOf([mask("whole", SURE), mask("core", ALIKE, { trust: null }), mask("enhancing", UNSURE)]);
  const [whole, core_, enhancing] = found.map((one) => one.trusted);
  assert.equal(core_, null);
  for (const [own, number, place] of [[whole, SURE, 0], [enhancing, UNSURE, 2]]) {
    const verdict = verdictOf(number);
    assert.deepEqual([own.diceExpected, own.look, own.why], [verdict.diceExpected, verdict.look, verdict.why]);
    assert.deepEqual(own.betweenMl, verdict.factors.map((factor) => found[place].voxels * 0.001 * factor));
  }
  assert.deepEqual([trusted.look, trusted.why, trusted.betweenMl], [true, `enhancing: ${enhancing.why}`, null]);
  assert.equal(trusted.diceExpected, (whole.diceExpected + enhancing.diceExpected) / 2);
  assert.ok(core.countOf(unsure) > 0);
  const unknown = await resultOf([mask("whole", SURE), mask("enhancing", UNSURE)], { pixelMm: null });
  assert.deepEqual(unknown.found.map((one) => one.trusted.betweenMl), [null, null]);
});

test("where nothing was found of a class nothing is told of it, and of a patient only where it holds for all", async () => {
  const one = await resultOf([mask("whole", SURE), mask("enhancing", null)]);
  assert.deepEqual([one.found[1].trusted, one.trusted.look], [null, false]);
  assert.equal(one.trusted.diceExpected, verdictOf(SURE).diceExpected);
  const none = await resultOf([mask("whole", null), mask("enhancing", null)]);
  assert.deepEqual(none.found.map((each) => each.trusted), [null, null]);
  assert.deepEqual([none.trusted.look, none.trusted.because, none.trusted.diceExpected], [true, "nothing-found", null]);
  assert.deepEqual(none.warnings, [], "it is said once");
});

test("a mask whose components were dropped has no expected Dice and no interval", async () => {
  const dropped = { post_processing: { ...NO_RULES, min_volume_px: 10_000 } };
  const { found, trusted } = await resultOf([mask("whole", SURE), mask("enhancing", UNSURE, dropped)]);
  const verdict = verdictOf(UNSURE);
  assert.deepEqual([found[1].voxels, found[1].trusted.diceExpected, found[1].trusted.betweenMl], [0, null, null]);
  assert.deepEqual([found[1].trusted.look, found[1].trusted.why], [true, verdict.why]);
  assert.equal(trusted.diceExpected, (verdictOf(SURE).diceExpected + verdict.diceExpected) / 2, "what was counted is before components are dropped");
  const all = await resultOf([mask("whole", SURE, dropped), mask("enhancing", UNSURE, dropped)]);
  assert.deepEqual([all.trusted.diceExpected, all.trusted.look], [null, true]);
});

test("the table has columns for the patient and for each class of which something is known", async () => {
  const rows = await tableOf([mask("whole", SURE), mask("core", ALIKE, { trust: null }), mask("enhancing", null)]);
  const columns = (whose) => ["dice_expected", "look", "why", "volume_low_ml", "volume_high_ml"].map((name) => `${whose}_${name}`);
  const wanted = [...columns("scan"), ...columns("scan_whole"), ...columns("scan_enhancing")];
  const first = rows[0].indexOf("scan_dice_expected");
  assert.deepEqual(rows[0].slice(first, -2), wanted);
  const { found: [whole] } = await resultOf([mask("whole", SURE)].concat(mask("enhancing", null)));
  for (const row of rows.slice(1)) {
    assert.deepEqual(row.slice(first + 3, first + 5), ["", ""], "the patient has no interval");
    assert.deepEqual(row.slice(first + 5, first + 7), [String(whole.trusted.diceExpected), "false"]);
    assert.deepEqual(row.slice(first + 8, first + 10).map(Number), [...whole.trusted.betweenMl]);
    assert.deepEqual(row.slice(first + 10, -2), ["", "", "", "", ""]);
  }
  const lone = await tableOf([mask("whole", SURE), mask("core", ALIKE)], false);
  assert.ok(!lone[0].some((name) => name.includes("dice_expected")));
});

test("an int8 network takes the exact graph down to the low level of each mask", async () => {
  const contract = { ...contractOf([mask("whole", SURE), mask("enhancing", UNSURE, { trust: null, threshold: 0.9 })]), golden: { logit_tolerance: 0.1 } };
  const asked = [];
  const engine = (name, values) => ({ contract, logits: async () => { asked.push(name); return Float32Array.from(values); } });
  const of = async (...values) => {
    asked.length = 0;
    await new core.CarefulEngine(engine("exact", [0, 0]), engine("fast", values)).logits(null, null);
    return asked.join();
  };
  assert.equal(await of(-0.9, -9), "fast,exact", "-0.9 is near log(0.3 / 0.7) = -0.85");
  assert.equal(await of(-1, -0.9), "fast", "nothing is counted of the second mask");
});

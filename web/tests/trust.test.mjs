// How far a mask is to be believed: the numbers of tests/golden/units.json, the contract's field, and what is told.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as core from "../generated/core/core.mjs";
import { bytesOf, contractText, INT8, jsonOf, repository, WASM } from "./files.mjs";

const { trust: vectors, inputs } = jsonOf(repository("tests/golden/units.json"));
const quiet = { cancelled: () => false, done: () => undefined };
const NAMES = ["low", "middle", "high", "border", "shared", "paired"];
let contract;

before(async () => {
  core.setUp(bytesOf(WASM));
  ({ contract } = await core.readModel(bytesOf(INT8)));
});

/** Segments what a vector's network gave, as a volume or as lone slices. */
const segmented = (one, whole = true, change = {}) => {
  const { height, width } = one;
  const small = { ...contract, height, width, trust: { output: one.trust }, ...change };
  let next = 0;
  const engine = { contract: small, logits: async () => Float32Array.from(one.slices[next++]) };
  const slice = () => ({ height, width, bytes: new Uint8Array(height * width * 3) });
  return core.segment(engine, { count: one.slices.length, channels: core.LGG, whole, pixelMm: null, slice }, quiet);
};
const near = (found, wanted, what) => assert.ok(wanted === null ? found === null : Math.abs(found - wanted) <= 1e-12 * Math.max(1, Math.abs(wanted)), `${what}: ${found}, ${wanted}`);

for (const [number, one] of vectors.entries()) {
  test(`vector ${number}: counts, features and what they mean are Python's`, async () => {
    const tally = new core.OutputTally(one.trust);
    for (const slice of one.slices) tally.add(Float32Array.from(slice), one.width);
    const { counts } = tally;
    assert.deepEqual(NAMES.map((name) => counts[name]), one.counts);
    const features = core.featuresOf(counts) ?? {};
    assert.deepEqual(Object.keys(features).sort(), Object.keys(one.features).sort());
    for (const [name, value] of Object.entries(one.features)) near(features[name], value, name);
    const verdict = core.judge(counts, one.trust);
    assert.deepEqual([verdict.look, verdict.because], [one.look, one.because]);
    near(verdict.diceExpected, one.dice_expected, "dice_expected");
    near(verdict.factors?.[0] ?? null, one.low_factor, "low_factor");
    near(verdict.factors?.[1] ?? null, one.high_factor, "high_factor");
    assert.deepEqual((await segmented(one)).verdict, verdict, "the same is counted while slices run");
  });
}

test("the vectors hold masks that are sure, unsure and empty", () => {
  assert.deepEqual(new Set(vectors.map((one) => one.because)), new Set(["", "log_unsure_border", "nothing-found"]));
});

test("what is counted is before components are dropped, and lone slices and other contracts are told nothing of", async () => {
  const [one] = vectors;
  const none = await segmented(one, true, { post_processing: { min_area_px: 0, min_volume_px: 10_000, min_share: 0 } });
  assert.equal(none.masks.some((mask) => mask.includes(1)), false);
  near(none.verdict.diceExpected, one.dice_expected, "dice_expected");
  const lone = await segmented(one, false);
  assert.deepEqual([lone.verdict, lone.unsure], [null, []]);
  assert.equal((await segmented(one, true, { trust: null })).verdict, null);
});

test("unsure is what lies between the low and the high level", async () => {
  const one = vectors[1];
  const { unsure } = await segmented(one);
  const pixels = unsure.reduce((sum, slice) => sum + (slice === null ? 0 : core.countOf(slice)), 0);
  assert.equal(pixels, one.counts[0] - one.counts[2]);
});

test("reasons are plain words", () => {
  const counts = { low: 127, middle: 79, high: 19, border: 36, shared: 38, paired: 104 };
  const why = (name) => core.judge(counts, { ...vectors[0].trust, look_below: 0.999, intercept: -9, features: [{ name, weight: 1, typical: 0.94 }] }).why;
  assert.equal(why("log_unsure_border"), "the border is unsure: it is 3.0 pixels wide (2.6 is usual)");
  assert.equal(why("neighbours"), "neighbouring slices agree by 73% alone (94% is usual)");
});

test("an int8 network takes the exact graph down to the low level, so that counts are its own", async () => {
  let asked = [];
  const given = (name, value) => ({ contract: { ...contract, golden: { logit_tolerance: 0.1 }, trust: { output: vectors[0].trust } }, logits: async () => { asked.push(name); return Float32Array.of(value); } });
  await new core.CarefulEngine(given("exact", 0), given("fast", -0.9)).logits(null, null);
  assert.deepEqual(asked, ["fast", "exact"], "-0.9 is near log(0.3 / 0.7) = -0.85");
  asked = [];
  await new core.CarefulEngine(given("exact", 0), given("fast", -1)).logits(null, null);
  assert.deepEqual(asked, ["fast"]);
});

/** The text of a contract with a field `trust`. */
const text = (trust, change = {}) => {
  const plain = JSON.parse(contractText(bytesOf(INT8)));
  return JSON.stringify({ ...plain, schema_version: 4, trust, ...change });
};

test("a contract's field is read, alone or beside what it says of the input", () => {
  const { trust } = vectors[0];
  const { look } = inputs[0];
  assert.deepEqual(core.parseContract(text({ output: trust })).trust, { output: trust, input: null });
  assert.deepEqual(core.parseContract(text({ output: trust, input: look })).trust, { output: trust, input: look });
  assert.equal(core.parseContract(text(undefined)).trust, null);
});

/** Fields of a contract of two masks, each with what tells how far to trust it. */
const several = (...trusts) => ({ schema_version: 6, classes: ["rest", "core"], regions: ["rest", "core"].map((name, at) => ({ name, label: at + 1, channels: [at], trust: trusts[at] })) });

test("a contract of several masks has a field for each", () => {
  const { trust } = vectors[0];
  assert.deepEqual(core.parseContract(text(undefined, several(null, trust))).regions.map((one) => one.trust), [null, trust]);
  assert.deepEqual(core.masksOf(core.parseContract(text({ input: inputs[0].look }, several(trust)))).map((one) => one.trust), [trust, null]);
  const refused = (change, says) => assert.throws(() => core.parseContract(text(undefined, several(trust, { ...trust, ...change }))), says);
  refused({ surprise: 1 }, /regions\[1\]\.trust\.surprise is not known/);
  refused({ groups: "5" }, /regions\[1\]\.trust\.groups is no number/);
  refused({ middle: 0.9 }, /the trust of its region 'core' has low 0.3, middle 0.9 and high 0.85; probabilities/);
  refused({ coverage: 0 }, /coverage or threshold of the trust of its region 'core' lies not between/);
  refused({ slope: -1 }, /slope of the trust of its region 'core' is too small/);
  refused({ features: [{ name: "neighbours", weight: 1, typical: -0.1 }] }, /typical of neighbours of the trust of its region 'core' is -0.1/);
});

test("one that cannot be honoured is refused", () => {
  const refused = (change, says, more = {}) => assert.throws(() => core.parseContract(text({ output: { ...structuredClone(vectors[0].trust), ...change } }, more)), says);
  assert.throws(() => core.parseContract(text({})), /contract\.trust holds nothing/);
  assert.throws(() => core.parseContract(text({ output: vectors[0].trust, more: 1 })), /trust\.more is not known/);
  refused({ surprise: 1 }, /trust\.output\.surprise is not known/);
  refused({ low: undefined }, /trust\.output\.low is no number/);
  refused({ low: 0.5 }, /low 0.5, middle 0.5 and high 0.85; probabilities between 0 and 1 in this order/);
  refused({ high: 1 }, /low 0.3, middle 0.5 and high 1/);
  refused({ features: [] }, /features of its trust\.output are none; at least one/);
  refused({ features: [{ name: "luck", weight: 1, typical: 1 }] }, /features\[0\]\.name is 'luck'; log_unsure_border, neighbours are known/);
  refused({ features: Array(2).fill({ name: "neighbours", weight: 1, typical: 1 }) }, /features of its trust\.output are neighbours, neighbours; at least one is needed, each once/);
  refused({ features: [{ name: "neighbours", weight: 1e7, typical: 1 }] }, /out of range/);
  refused({ features: [{ name: "neighbours", weight: 1, typical: 1.01 }] }, /typical of neighbours of its trust\.output is 1\.01; values of it lie from 0 to 1/);
  refused({ features: [{ name: "log_unsure_border", weight: 1, typical: -21 }] }, /typical of log_unsure_border .* from -20 to 20/);
  refused({ low: 1e-16 }, /low 1e-16, middle/);
  for (const name of ["look_below", "coverage", "threshold"]) for (const end of [0, 1]) refused({ [name]: end }, /look_below, coverage or threshold/);
  refused({ intercept: -2e6 }, /out of range/);
  for (const name of ["volume_low", "volume_high"]) refused({ [name]: -1 }, /too small/);
  refused({ slope: 0 }, /too small/);
  for (const name of ["", "- -", "two\nlines", " data"]) refused({ data: name }, /network or data of its trust\.output is no name/);
  refused({ groups: 89 }, /88 patients in 89 groups/);
  refused({}, /is for a network of one mask, and there are regions; each of them needs a trust/, several());
});

test("the result has the volume's interval, and so has each row of the table", async () => {
  const one = vectors[6];
  const found = await segmented(one, true, { threshold: 0.5, post_processing: { min_area_px: 0, min_volume_px: 0, min_share: 0 } });
  const told = { ...contract, trust: { output: one.trust } };
  const { height, width } = one;
  const scan = { name: "x", count: 1, channels: core.LGG, on: 1, whole: true, pixelMm: [10, 10], sliceMm: 10, reference: null, sliceNames: ["a"], warnings: [], slice: () => ({ height, width, bytes: new Uint8Array(height * width * 3).fill(9) }) };
  const { volumeMl, trusted, unsure } = core.resultOf(scan, found, told, 1);
  assert.equal(volumeMl, one.counts[1]);
  assert.deepEqual(trusted.betweenMl, [7 * one.low_factor, 7 * one.high_factor]);
  assert.equal(core.countOf(unsure), one.counts[0] - one.counts[2]);
  const ready = { masks: core.masksOf(told), network: "n", target: "t", sha256: "0", intendedUse: "research" };
  const [head, row] = new TextDecoder().decode(core.csvFile({ ready, model: { contract: told } }, scan, found).bytes).split("\r\n").map((line) => line.split(","));
  assert.deepEqual(head.slice(-7, -2), ["scan_dice_expected", "scan_look", "scan_why", "scan_volume_low_ml", "scan_volume_high_ml"]);
  assert.equal(Number(row.at(-7)), trusted.diceExpected);
  assert.deepEqual([row.at(-6), Number(row.at(-3))], [String(one.look), 7 * one.high_factor]);
  assert.equal(core.resultOf({ ...scan, pixelMm: null }, found, told, 1).trusted.betweenMl, null);
});

test("that nothing was found is said once", async () => {
  const one = vectors[5];
  const scan = { count: 2, channels: core.LGG, on: 1, whole: true, pixelMm: null, warnings: [], slice: () => ({ height: one.height, width: one.width, bytes: Uint8Array.from({ length: one.height * one.width * 3 }, (_, at) => at % 9) }) };
  const { trusted, warnings } = core.resultOf(scan, await segmented(one), { ...contract, trust: { output: one.trust } }, 1);
  assert.deepEqual([trusted.look, trusted.because, trusted.diceExpected, warnings], [true, "nothing-found", null, []]);
});

// What an input looks like: the numbers of tests/golden/units.json, the contract's field, and what is told.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as core from "../generated/core/core.mjs";
import { bytesOf, contractText, INT8, jsonOf, repository, WASM } from "./files.mjs";

const vectors = jsonOf(repository("tests/golden/units.json")).inputs;
const quiet = { cancelled: () => false, done: () => undefined };
const near = (found, wanted, what) => {
  assert.equal(found.length, wanted.length, what);
  for (const [at, value] of wanted.entries()) assert.ok(Math.abs(found[at] - value) <= 1e-9 * Math.max(1, Math.abs(value)), `${what} ${at}: ${found[at]}, ${value}`);
};
let contract;

before(async () => {
  core.setUp(bytesOf(WASM));
  ({ contract } = await core.readModel(bytesOf(INT8)));
});

const slicesOf = ({ height, width, slices }) => slices.map((slice) => ({ height, width, bytes: Uint8Array.from(slice) }));

/** Plane after plane. */
const planesOf = (slice, channels) => Uint8Array.from(slice, (_, at) => slice[(at % (slice.length / channels)) * channels + Math.floor(at / (slice.length / channels))]);

/** Segments a vector's slices with a network that finds nothing. */
const segmented = (one, whole = true) => {
  const { height, width, channels, look } = one;
  const small = { ...contract, height, width, channels, reference_channel: channels[0], regions: [], trust: look && { output: null, input: look } };
  const engine = { contract: small, logits: async () => new Float32Array(height * width).fill(-9) };
  const slices = slicesOf(one);
  return core.segment(engine, { count: slices.length, channels, whole, pixelMm: null, slice: (index) => slices[index] }, quiet);
};

for (const [number, one] of vectors.entries()) {
  test(`vector ${number}: what is counted, what it looks like and what is odd are Python's`, async () => {
    const looked = core.slicesLookedAt(one.slices.length);
    assert.deepEqual([...looked], one.looked_at);
    const tally = new core.InputTally(one.channels.length);
    for (const index of looked) tally.add(planesOf(one.slices[index], one.channels.length), one.height, one.width);
    const features = core.inputFeatures(tally);
    near(features ?? [], one.features, "feature");
    if (features) assert.equal(core.featureCount(one.channels.length), features.length);
    if (features && one.look) near(core.signScores(features, one.look), one.scores, "score");
    const odd = core.inputOddity(tally, one.look, one.channels);
    assert.deepEqual([odd?.kind ?? "", odd?.channels ?? []], [one.kind, one.told_channels]);
    assert.deepEqual((await segmented(one)).oddity, odd, "the same is counted while slices run");
  });
}

test("the vectors hold what is certain, signs, and volumes of which not all slices are looked at", () => {
  assert.deepEqual(new Set(vectors.map((one) => one.kind)), new Set(["", "swapped", "copied", "missing", "too-small", "marked", "empty"]));
  assert.ok(vectors.some((one) => one.looked_at.length < one.slices.length));
  assert.ok(vectors.some((one) => one.channels.length > 4));
});

test("of a volume at most twelve slices are looked at, from the first to the last", () => {
  for (const count of [1, 2, 11, 12, 13, 155]) {
    const found = core.slicesLookedAt(count);
    assert.deepEqual([found[0], found.at(-1), new Set(found).size], [0, count - 1, Math.min(count, 12)]);
  }
});

test("of lone slices, and where the contract has no such numbers, only what is certain is told", async () => {
  const [small, equal] = [vectors.find((one) => one.kind === "too-small"), vectors.find((one) => one.kind === "copied")];
  assert.equal((await segmented(small, false)).oddity, null);
  assert.equal((await segmented({ ...small, look: null })).oddity, null);
  assert.equal((await segmented(equal, false)).oddity.kind, "copied");
});

const told = async (kind) => (await segmented(vectors.find((one) => one.kind === kind))).oddity;

test("what is odd is said in Python's words, and once", async () => {
  const unlike = "it is unlike what the network learned from, so look at the input first, and do not rely on the mask.";
  assert.equal(core.oddInput(await told("swapped"), []).told, `The input looks odd: 'pre' and 'flair' look exchanged; ${unlike}`);
  assert.equal(core.oddInput(await told("empty"), []).told, `The input looks odd: nothing in it is brighter than background; ${unlike}`);
  assert.match(core.oddInput(await told("copied"), []).told, /^The input looks odd: 'flair' and 'post' hold the same picture; one sequence seems to be given twice; give/);
  assert.match(core.oddInput(await told("missing"), []).told, /^The input looks odd: 'pre' holds one value throughout; the sequence is missing; give it/);
  assert.equal(core.oddInput(await told("copied"), ["There is no series for T1: FLAIR stands in its place, as it did in training."]), null);
  assert.equal(core.oddInput(await told("copied"), ["All 3 channels are equal: the pictures seem to hold one sequence, not 3."]), null);
  assert.equal(core.oddInput(await told("missing"), ["a: It holds one value everywhere."]), null);
  assert.equal(core.oddInput(await told("swapped"), ["a: It holds one value everywhere."]).kind, "swapped");
  assert.equal(core.oddInput(null, []), null);
});

test("the result has it, and so has each row of the table", async () => {
  const one = vectors.find((vector) => vector.kind === "swapped");
  const found = await segmented(one);
  const slices = slicesOf(one);
  const scan = { name: "x", count: slices.length, channels: one.channels, on: 1, whole: true, pixelMm: null, sliceMm: null, reference: null, sliceNames: ["a", "b", "c"], warnings: [], slice: (index) => slices[index] };
  const result = core.resultOf(scan, found, contract, 1);
  assert.equal(result.odd.kind, "swapped");
  const ready = { masks: core.masksOf(contract), trust: null, network: "n", target: "t", sha256: "0", intendedUse: "research" };
  const table = (segmentation) => new TextDecoder().decode(core.csvFile({ ready, model: { contract } }, scan, segmentation).bytes).trim().split("\r\n");
  const [head, ...rows] = table(found);
  assert.ok(head.endsWith(",scan_odd_input,scan_odd_why"));
  assert.ok(rows.length === 3 && rows.every((row) => row.endsWith(`,swapped,"${result.odd.told}"`)));
  assert.ok(table({ ...found, oddity: null })[1].endsWith(",,"));
});

/** The text of a contract whose field `trust` says this of the input. */
const text = (input) => JSON.stringify({ ...JSON.parse(contractText(bytesOf(INT8))), schema_version: 4, trust: { input } });
const [{ look }] = vectors;

test("a contract's field is read, and what cannot be honoured is refused", () => {
  assert.deepEqual(core.parseContract(text(look)).trust, { output: null, input: look });
  const refused = (change, says) => assert.throws(() => core.parseContract(text({ ...structuredClone(look), ...change })), says);
  refused({ surprise: 1 }, /trust\.input\.surprise is not known/);
  refused({ on: [1] }, /trust\.input\.on is no list of lists of numbers/);
  refused({ weights: undefined }, /trust\.input\.weights is no list/);
  refused({ typical: [1] }, /features, typical and spread .* not as many/);
  refused({ features: [0, 0, 7, 12, 16, 22, 55] }, /or one twice/);
  refused({ features: [0, 3, 7, 12, 16, 22, 88] }, /features that 3 channels do not have/);
  refused({ spread: look.spread.map(() => 0) }, /a spread .* out of range/);
  refused({ bias: look.bias.map(() => 1e9) }, /a number .* out of range/);
  refused({ bias: [1] }, /not as many/);
  refused({ signs: ["too-small", "upside-down", "too-small", "marked"] }, /or a sign is there twice/);
  refused({ patients: 0 }, /0 patients; at least one/);
  for (const sign of ["tilted", "toString", "swapped", "swapped 0", "swapped 0 x", "swapped 0 0", "swapped 0 3", "marked 1"]) {
    refused({ signs: [sign, ...look.signs.slice(1)] }, new RegExp(`the sign '${sign}' .* cannot be honoured`));
  }
  refused({ on: [[6, 9], ...look.on.slice(1)] }, /the sign 'swapped 0 1'/);
  refused({ on: [[], ...look.on.slice(1)], weights: [[], ...look.weights.slice(1)] }, /the sign 'swapped 0 1'/);
});

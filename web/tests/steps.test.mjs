// The steps around the network give Python's numbers, and the network its masks: tests/golden, in Node.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as core from "../generated/core/core.mjs";
import { bytesOf, FLOAT, INT8, jsonOf, repository, WASM } from "./files.mjs";

const units = jsonOf(repository("tests/golden/units.json"));
const golden = jsonOf(repository("tests/golden/golden.json"));
const quiet = { cancelled: () => false, done: () => undefined };
let model;

before(async () => {
  core.setUp(bytesOf(WASM));
  model = await core.readModel(bytesOf(INT8));
});

const volumeOf = (slices, whole) => ({ count: slices.length, whole, pixelMm: null, slice: (index) => slices[index] });
const goldenSlices = () => golden.slices.map(({ file }) => {
  const { height, width, values } = core.decodePng(file, bytesOf(repository(`tests/golden/${file}`)));
  return { height, width, bytes: values };
});
const half = ({ height, width, bytes }) => {
  const [rows, columns] = [height / 2, width / 2];
  const at = (i) => ((Math.floor(Math.floor(i / 3) / columns) * 2 * width + (Math.floor(i / 3) % columns) * 2) * 3) + (i % 3);
  return { height: rows, width: columns, bytes: Uint8Array.from({ length: rows * columns * 3 }, (_, i) => bytes[at(i)]) };
};
/** An engine that gives what it is told, on a grid of its own. */
const told = (contract, logits) => {
  let next = 0;
  return { contract, logits: async () => logits[next++] };
};

test("bytes on the network's grid are Pillow's", () => {
  for (const one of units.resampled) {
    const contract = { ...model.contract, height: one.network_height, width: one.network_width, normalisation: one.normalisation, channels: ["pre", "flair", "post"] };
    const planes = new core.Preparer(contract).prepare({ height: one.height, width: one.width, bytes: Uint8Array.from(one.image) }, [one.height, one.width]);
    const grid = one.network_height * one.network_width;
    assert.deepEqual([...planes], Array.from(planes, (_, at) => one.network_input[(at % grid) * 3 + Math.floor(at / grid)]));
  }
});

test("logits on a slice's grid are Pillow's", () => {
  for (const one of units.logits) {
    const found = new core.Resampler([one.network_height, one.network_width], [one.height, one.width]).floats(Float32Array.from(one.logits));
    found.forEach((value, at) => assert.ok(Math.abs(value - one.resampled[at]) < 1e-4));
  }
});

test("what bytes become is Python's in every bit, and so are the codes", () => {
  for (const one of units.tables) {
    const contract = { ...model.contract, normalisation: one.normalisation, scale: one.scale, intensity: one.intensity };
    const counts = core.emptyCounts(contract);
    for (const slice of one.slices) {
      const grid = slice.length / 3;
      core.countInto(Uint8Array.from(slice, (_, at) => slice[(at % grid) * 3 + Math.floor(at / grid)]), counts);
    }
    const tables = core.tables(contract, counts);
    const bits = (value) => new Int32Array(Float32Array.of(value).buffer)[0];
    assert.deepEqual(tables.map((table) => one.levels.map((level) => bits(table[level]))), one.float_bits, one.normalisation);
    const codes = tables.map((table) => core.codes(table, one.code_scale, one.code_zero_point));
    assert.deepEqual(codes.map((code) => one.levels.map((level) => code[level])), one.codes, one.normalisation);
  }
  const levels = Float32Array.from({ length: 256 }, (_, level) => level / 255);
  assert.deepEqual([...core.codes(levels, units.quantised_scale, units.quantised_zero_point)], units.quantised_bytes);
});

test("small components are dropped as in Python", async () => {
  for (const one of units.components) {
    const contract = { ...model.contract, height: one.height, width: one.width, post_processing: one.rule };
    const logits = one.runs.map((runs) => Float32Array.from(core.decodeRuns(runs, one.height * one.width), (value) => (value ? 9 : -9)));
    const blank = { height: one.height, width: one.width, bytes: new Uint8Array(one.height * one.width * 3) };
    const { masks } = await core.segment(told(contract, logits), volumeOf(logits.map(() => blank), one.volume), quiet);
    assert.deepEqual(masks.map(core.encodeRuns), one.kept.map((runs) => core.encodeRuns(core.decodeRuns(runs, one.height * one.width))));
  }
});

for (const [target, file, exact] of [["onnx-int8", INT8, true], ["onnx-int8", INT8, false], ["onnx-fp32", FLOAT, false]]) {
  test(`${target}${exact ? " in exact integers" : ""} draws the golden masks, no pixel different`, async () => {
    const engine = await core.OrtEngine.open(await core.readModel(bytesOf(file)), exact);
    const { contract } = engine;
    const wanted = golden.artifacts.find((one) => one.target === target);
    const slices = goldenSlices();
    const off = { ...contract, post_processing: { min_area_px: 0, min_volume_px: 0, min_share: 0 } };
    const largest = { ...off, post_processing: { ...off.post_processing, min_share: 1 } };
    const kinds = {
      raw: [off, slices, false], lone_slices: [contract, slices, false], volume: [contract, slices, true], volume_largest_only: [largest, slices, true], half_size: [off, slices.map(half), false],
    };
    for (const [kind, [rules, given, whole]] of Object.entries(kinds)) {
      const { masks } = await core.segment({ contract: rules, logits: (...all) => engine.logits(...all) }, volumeOf(given, whole), quiet);
      const flips = masks.map((mask, at) => core.flips(mask, core.decodeRuns(wanted[kind][at].runs, mask.length)));
      assert.deepEqual(flips, [0, 0, 0], kind);
    }
    assert.equal((await core.selfTest(engine)).passed, true);
    await engine.close();
  });
}

test("a pixel too many in the self-test fails it", async () => {
  const engine = await core.OrtEngine.open(model, false);
  const { golden: own } = model.contract;
  const shifted = { ...model.contract, threshold: 0.02, golden: own };
  const found = await core.selfTest({ contract: shifted, logits: (...all) => engine.logits(...all) });
  assert.equal(found.passed, false);
  assert.ok(found.flips > found.allowed);
  await engine.close();
});

test("probabilities and classes give the logits of Python's rules", () => {
  const contract = { ...model.contract, height: 1, width: 2, output: "probabilities" };
  const logits = core.oneLogit(Float32Array.of(0.25, 1), contract, null);
  assert.ok(Math.abs(logits[0] - Math.log(1 / 3)) < 1e-6);
  assert.ok(logits[1] > 15 && logits[1] < 17);
  const classes = { ...contract, output: "logits", classes: ["rest", "core", "oedema"], foreground: [1, 2], output_layout: "NCHW" };
  assert.deepEqual([...core.oneLogit(Float32Array.of(1, 0, 3, -1, 2, 5), classes, null)], [2, 5]);
  assert.throws(() => core.oneLogit(Float32Array.of(2, 0), contract, null), /speaks of probabilities/);
});

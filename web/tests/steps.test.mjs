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

const volumeOf = (slices, whole, channels = core.LGG) => ({ count: slices.length, channels, whole, pixelMm: null, slice: (index) => slices[index] });
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
  const free = target === "onnx-int8" && !exact; // default kernels round otherwise here and there
  test(`${target}${exact ? " in exact integers" : ""} draws the golden masks, ${free ? "but for what a contract allows" : "no pixel different"}`, async () => {
    const engine = await core.OrtEngine.open(await core.readModel(bytesOf(file)), exact);
    const { contract } = engine;
    const allowed = free ? (await core.selfTest(engine)).allowed : 0;
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
      assert.ok(flips.length === 3 && flips.every((each) => each <= allowed), `${kind}: ${flips}, ${allowed} allowed`);
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
  const logits = core.maskLogits(Float32Array.of(0.25, 1), contract, null);
  assert.ok(Math.abs(logits[0] - Math.log(1 / 3)) < 1e-6);
  assert.ok(logits[1] > 15 && logits[1] < 17);
  const classes = { ...contract, output: "logits", classes: ["rest", "core", "oedema"], foreground: [1, 2], output_layout: "NCHW" };
  const given = Float32Array.of(1, 0, 3, -1, 2, 5);
  assert.deepEqual([...core.maskLogits(given, classes, null)], [2, 5]);
  assert.throws(() => core.maskLogits(Float32Array.of(2, 0), contract, null), /speaks of probabilities/);
  const region = (name, channels) => ({ name, channels, label: channels[0], threshold: 0.5, post_processing: {}, colour: [] });
  const several = { ...classes, foreground: [], regions: [region("whole", [1, 2]), region("oedema", [2])] };
  assert.deepEqual([...core.maskLogits(given, several, null)], [3, 5, 2, 5]);
  assert.deepEqual([...core.maskLogits(given, { ...several, exclusive: true }, null)], [2, 5, -1, 5]);
});

const classes = jsonOf(repository("tests/golden/classes/classes.json"));
const bitsOf = (name) => bytesOf(repository(`tests/golden/classes/${name}`));
/** A slice of the class vectors: RGB as it is, other channels one below the other. */
const classSlice = ({ file }, channels) => {
  const { height, width, channels: stored, values } = core.decodePng(file, bitsOf(file));
  if (stored === 3) return { height, width, bytes: values };
  const rows = height / channels;
  return { height: rows, width, bytes: Uint8Array.from({ length: values.length }, (_, at) => values[(at % channels) * rows * width + Math.floor(at / channels)]) };
};

const inOrder = (counts) => counts && ["low", "middle", "high", "border", "shared", "paired"].map((name) => counts[name]);

for (const network of classes.networks) {
  test(`${network.file} of ${network.channels.join(", ")} draws its golden masks, no pixel different`, async () => {
    const engine = await core.OrtEngine.open(await core.readModel(bitsOf(network.file)), true);
    assert.deepEqual(core.masksOf(engine.contract).map((mask) => mask.name).filter(Boolean), network.masks);
    const slices = network.slices.map((one) => classSlice(one, network.channels.length));
    for (const [kind, whole] of [["lone_slices", false], ["volume", true]]) {
      const tally = whole ? core.TrustTally.of(engine.contract) : null;
      const counted = { contract: engine.contract, logits: async (...all) => { const logits = await engine.logits(...all); tally?.add(logits, engine.contract.width); return logits; } };
      const { masks, verdicts } = await core.segment(counted, volumeOf(slices, whole, network.channels), quiet);
      if (whole) assert.deepEqual(tally && tally.counts.map(inOrder), network.trust_counts ?? null, "what tells how far to trust each mask");
      assert.deepEqual(verdicts, tally?.verdicts ?? core.masksOf(engine.contract).map(() => null));
      const wanted = network[kind].map(({ runs, height, width }) => core.decodeRuns(runs, height * width));
      assert.deepEqual(masks.map((mask) => mask.length), wanted.map((mask) => mask.length));
      assert.deepEqual(masks.map((mask, at) => core.flips(mask, wanted[at])), wanted.map(() => 0), kind);
      assert.ok(wanted.some((mask) => mask.includes(1)));
    }
    if (engine.contract.golden !== null) assert.equal((await core.selfTest(engine)).passed, true);
    await engine.close();
  });
}

test("the class vectors cover one mask, exclusive and overlapping ones, what tells how far to trust them, and their self-tests", async () => {
  const contracts = await Promise.all(classes.networks.map(async ({ file }) => (await core.readModel(bitsOf(file))).contract));
  const several = contracts.filter((one) => one.regions.length > 1);
  assert.deepEqual(new Set(several.map((one) => one.exclusive || one.output === "softmax")), new Set([true, false]));
  assert.ok(contracts.some((one) => one.channels.length === 1 && one.regions.length === 0));
  assert.ok(several.some((one) => core.masksOf(one).some((mask) => mask.trust) && !core.masksOf(one).every((mask) => mask.trust)));
  assert.ok(contracts.some(core.byVolume));
  assert.ok(contracts.filter((one) => one.golden !== null).length >= 2);
});

test("labels of several masks: where they overlap the later counts", () => {
  const masks = [1, 7, 3].map((label) => ({ name: String(label), label }));
  assert.deepEqual([...core.labelMap(Uint8Array.of(1, 1, 0, 0, 1, 0, 0, 1, 1), masks)], [1, 3, 3]);
});

test("an int8 network of several masks takes the exact graph where any comes near its own threshold", async () => {
  const mask = (threshold) => ({ name: String(threshold), channels: [0], label: 1, threshold, post_processing: {}, colour: [] });
  const contract = { ...model.contract, regions: [mask(0.5), mask(0.9)], trust: null, golden: { logit_tolerance: 0.5 } };
  let asked = [];
  const engine = (name, values) => ({ contract, logits: async () => { asked.push(name); return Float32Array.from(values); } });
  const of = async (...values) => {
    asked = [];
    const found = await new core.CarefulEngine(engine("exact", [9, 9]), engine("fast", values)).logits(null, null);
    return [asked.join(), found[0]];
  };
  assert.deepEqual(await of(-1, 1), ["fast", -1], "1 is far below log(0.9 / 0.1) = 2.2");
  assert.deepEqual(await of(-0.4, 1), ["fast,exact", 9]);
  assert.deepEqual(await of(-1, 1.8), ["fast,exact", 9]);
});

for (const scan of classes.scans) {
  test(`${scan.files.join(" and ")} are read and segmented as in Python`, async () => {
    const engine = await core.OrtEngine.open(await core.readModel(bitsOf(scan.model)), true);
    const channels = core.channelsOf(engine.contract);
    const series = scan.files.map((file) => core.openNifti(file, bitsOf(file))[0]);
    const opened = core.sequenceScan("x", channels, core.suggest(series.map((one) => one.name), channels).map((at) => series[at]));
    assert.deepEqual(await Promise.all(Array.from({ length: opened.count }, (_, index) => core.sha256(opened.slice(index).bytes))), scan.pixels_sha256);
    assert.deepEqual([opened.sliceMm, ...opened.pixelMm].map((mm) => mm.toFixed(4)), scan.spacing_mm.map((mm) => mm.toFixed(4)));
    const { masks } = await core.segment(engine, opened, quiet);
    assert.deepEqual(masks.map((mask, at) => core.flips(mask, core.decodeRuns(scan.volume[at].runs, mask.length))), masks.map(() => 0));
    await engine.close();
  });
}

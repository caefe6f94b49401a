// What is told of a segmentation of several classes: volumes, parts, warnings and the table.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as core from "../generated/core/core.mjs";

const rules = { min_area_px: 0, min_volume_px: 0, min_share: 0 };
const region = (name, label) => ({ name, label, channels: [label], threshold: 0.5, post_processing: rules, colour: [] });
const contract = { regions: [region("whole", 1), region("core", 4), region("none", 9)], normalisation: "unit", intensity: null };
const bytes = Uint8Array.of(9, 1, 9, 2, 9, 3, 9, 4, 9, 5, 9, 6, 9, 7, 9, 8);
const scan = (change = {}) => ({
  name: "x", count: 2, channels: ["t1", "t2"], on: 1, whole: true, pixelMm: [1, 10], sliceMm: 100, grid: null, reference: null, sliceNames: ["a", "b"], warnings: [],
  slice: () => ({ height: 2, width: 4, bytes }), ...change,
});
/** Two slices of 2 x 4 with three planes each: two parts of the whole, one of which has a core. */
const found = { masks: [Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 1, ...Array(16).fill(0)), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 1, ...Array(15).fill(0))], ms: [], postMs: 0, verdict: null, verdicts: [null, null, null], oddity: null, unsure: [] };

test("each class has its volume, slices and parts, and findings say whose they are", () => {
  const result = core.resultOf(scan(), found, contract, 1);
  assert.deepEqual(result.found, [{ voxels: 4, ml: 4, slices: 2, parts: 2, trusted: null }, { voxels: 1, ml: 1, slices: 1, parts: 1, trusted: null }, { voxels: 0, ml: 0, slices: 0, parts: 0, trusted: null }]);
  assert.deepEqual(result.findings.map(({ mask, voxels }) => [mask, voxels]), [[0, 3], [0, 1], [1, 1]]);
  assert.deepEqual([result.voxels, result.slicesWithTumour], [4, 2], "a voxel of two classes counts once");
  assert.deepEqual(result.warnings, ["Nothing was found of none. That does not mean that nothing is there."]);
});

test("slices that stand alone are doubted where the network's grey values are those of a volume", () => {
  const byVolume = { ...contract, normalisation: "z-score", intensity: { over: "volume" } };
  assert.match(core.resultOf(scan({ whole: false }), found, byVolume, 1).warnings[0], /normalised over a whole volume, and these slices stand alone/);
  assert.equal(core.resultOf(scan(), found, byVolume, 1).warnings.length, 1);
});

test("the table has columns for each class, and names that are harmless", () => {
  const masks = core.masksOf({ ...contract, regions: [region("=whole", 1), region("a,b", 2), region("none", 9)] });
  const ready = { masks, network: "n", target: "onnx-fp32", sha256: "0", intendedUse: "research" };
  const table = core.csvFile({ ready, model: { contract } }, scan(), found);
  const [head, first, second] = new TextDecoder().decode(table.bytes).split("\r\n");
  assert.match(head, /^scan,slice,'=whole_pixels,'=whole_area_mm2,'=whole_volume_ml,"a,b_pixels","a,b_area_mm2",/);
  assert.match(first, /^x,a,3,30,3,0,0,0,0,0,0,n,/);
  assert.match(second, /^x,b,1,10,1,1,10,1,0,0,0,n,/);
});

test("pictures of several masks hold labels and the colours of the contract", () => {
  const file = core.maskFile({ ready: { intendedUse: "research" }, model: { contract } }, scan(), found);
  assert.equal(file.name, "x_masks.zip");
  const text = new TextDecoder("latin1").decode(file.bytes);
  const palette = text.indexOf("PLTE") + 4;
  assert.deepEqual([...file.bytes.subarray(palette + 3, palette + 6)], [255, 60, 40]);
  assert.deepEqual([...file.bytes.subarray(palette + 12, palette + 15)], [60, 200, 80]);
});

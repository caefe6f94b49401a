// Files are read as Python reads them, and what is no scan is refused in a sentence that says what to do.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import * as core from "../generated/core/core.mjs";
import { bytesOf, fixture, jsonOf } from "./files.mjs";

const expected = jsonOf(fixture("expected.json"));
const lgg = { channels: core.LGG, reference_channel: null, stand_in: null };
const given = (path) => ({ path, bytes: bytesOf(fixture(path)) });

test("every way to store a picture gives the pixels that were stored", async () => {
  for (const [name, { shape, sha256 }] of Object.entries(expected.decoded)) {
    const decode = name.endsWith(".png") ? core.decodePng : core.decodeTiff;
    const { height, width, channels, values } = decode(name, bytesOf(fixture(`decoded/${name}`)));
    assert.deepEqual([height, width, ...(channels === 3 ? [3] : [])], shape, name);
    assert.equal(await core.sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)), sha256, name);
  }
});

test("a PNG that is written is read as it was", () => {
  const values = Uint8Array.from({ length: 5 * 7 * 3 }, (_, at) => (at * 37) % 256);
  assert.deepEqual(core.decodePng("x", core.encodePng(5, 7, 3, values, "no device")).values, values);
});

const SAYS = {
  "cut.png": /cut\.png is cut short or damaged\. Copy it again/,
  "empty.png": /is empty \(0 bytes\)/,
  "palette.png": /a palette of colours\. A slice is a PNG or TIFF/,
  "transparent.png": /a transparent channel/,
  "slice.jpg": /JPEG picture, which blurs edges/,
  "cut.nii.gz": /cut short or damaged/,
  "cut.nii": /cut short/,
  "text.nii": /no NIfTI file, whatever its name says/,
  "thick.nii": /thick slices cannot be used|at most 3 mm are taken/,
  "scan.nrrd": /NRRD file, which is not read\. Convert it to NIfTI/,
  "notes.txt": /no file that can be read here/,
};
for (const [name, says] of Object.entries(SAYS)) {
  test(`${name} is refused`, () => assert.rejects(core.open([given(`damaged/${name}`)], lgg), says));
}

test("a volume whose file does not say where left and right are is known for it", () => {
  const said = new Uint8Array(gunzipSync(bytesOf(fixture("nifti/Sub01_FLAIR.nii.gz"))));
  assert.equal(core.openNifti("x.nii", said)[0].assumed, false);
  const silent = said.slice();
  silent.fill(0, 252, 256); // qform_code and sform_code
  const [sequence] = core.openNifti("x.nii", silent);
  assert.equal(sequence.assumed, true);
  assert.match(sequence.warnings.join(), /are assumed, not known/);
});

test("a volume with a hole is refused", () => {
  const files = readdirSync(fixture("damaged/holed")).map((name) => given(`damaged/holed/${name}`));
  return assert.rejects(core.open(files, lgg), /Slice 3 is missing between 2 and 4/);
});

test("nothing at all, and kinds that are mixed, are refused", async () => {
  await assert.rejects(core.open([], lgg), /Nothing to open was found/);
  await assert.rejects(core.open([given("nifti/Sub01_T1.nii"), given("damaged/whole.png")], lgg), /files of one kind/);
});

test("series are told apart by whole words of their names", () => {
  const names = ["Ax T2 FLAIR", "t1_mprage", "AX T1 +C", "T1 w/o contrast", "DWI", "sub-1_T1ce", "DarkFluid FLAIR", "T2 tse"];
  assert.deepEqual(names.map(core.recognise), ["flair", "pre", "post", "pre", null, "post", "flair", "t2"]);
  const set = (...names) => core.channelsOf({ ...lgg, channels: names });
  assert.deepEqual(core.suggest(["FLAIR", "FLAIR 2", "T1"], set(...core.LGG)), [2, null, null]);
  assert.deepEqual(core.suggest(["Ax T2 tse", "us 3", "t1ce"], set("t1c", "US", "T2w", "dwi")), [2, 1, 0, null]);
  assert.deepEqual(core.suggest(["whatever"], set("us")), [0]);
  const volumes = (count) => Array.from({ length: count }, (_, at) => `scan, volume ${at + 1}`);
  assert.deepEqual(core.suggest(volumes(4), set("a", "b", "c", "d")), [0, 1, 2, 3]);
  assert.deepEqual(core.suggest(volumes(3), set("a", "b", "c", "d")), [null, null, null, null]);
});

test("channels that a contract asks for are all there, or what stands in for them", () => {
  const sequence = (name) => ({ name, shape: [2, 1, 2], grid: null, isBytes: true, warnings: [], plane: () => Float64Array.of(name.length, 9) });
  const of = (...names) => core.channelsOf({ ...lgg, channels: names });
  const scan = core.sequenceScan("x", of("t2", "dwi"), [sequence("a"), sequence("abc")]);
  assert.deepEqual([...scan.slice(0).bytes], [1, 3, 9, 9]);
  assert.throws(() => core.sequenceScan("x", of("t2", "dwi"), [sequence("a"), null]), /no series for dwi, and the network cannot do without it\. Open a scan that has all of T2, dwi/);
  assert.throws(() => core.sequenceScan("x", of("t2", "dwi"), [null, sequence("a")]), /Choose which series is T2; the masks lie on its grid/);
  assert.match(core.sequenceScan("x", of(...core.LGG), [null, sequence("a"), sequence("b")]).warnings.join(), /FLAIR stands in its place/);
  assert.throws(() => new core.Preparer({ ...lgg, channels: ["t2", "dwi"] }, ["t2", "adc"]), /needs dwi, and the slices hold t2, adc/);
});

test("a mask lies on the voxels of its input, and the header says nothing of a person", () => {
  const [sequence] = core.openNifti("x.nii.gz", bytesOf(fixture("nifti/Sub01_FLAIR.nii.gz")));
  const [slices, rows, columns] = sequence.shape;
  const masks = Array.from({ length: slices }, (_, slice) => Uint8Array.from({ length: rows * columns }, (__, at) => Number((at + slice) % 11 === 0)));
  const written = core.niftiMask(sequence.header, masks, sequence.shape);
  const [read] = core.openNifti("mask.nii.gz", written);
  assert.deepEqual(read.grid, sequence.grid);
  for (const slice of [0, 5, slices - 1]) assert.deepEqual(Uint8Array.from(read.plane(slice)), masks[slice]);
  assert.equal(new TextDecoder("latin1").decode(read.header.bytes).includes("nobody"), false);
});

test("a table is harmless in a spreadsheet", () => {
  assert.equal(core.csv([["=1+1", 'a "b", c', null, 2.5]]), `'=1+1,"a ""b"", c",,2.5\r\n`);
});

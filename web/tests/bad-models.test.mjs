// A network that is damaged, changed, or asks for what this page has not is refused in one sentence.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as core from "../generated/core/core.mjs";
import { bytesOf, contractText, INT8, repository, WASM } from "./files.mjs";

let whole;
let text;

before(() => {
  core.setUp(bytesOf(WASM));
  whole = bytesOf(INT8);
  text = contractText(whole);
});

const changed = (from, to) => {
  assert.equal(from.length, to.length);
  const at = new TextDecoder("latin1").decode(whole).indexOf(from);
  assert.ok(at > 0, from);
  const copy = Uint8Array.from(whole);
  copy.set(new TextEncoder().encode(to), at);
  return copy;
};

test("one that is cut short", () => assert.rejects(core.readModel(whole.subarray(0, whole.length - 5000)), /cut short, damaged|damaged/));
test("one that is empty", () => assert.rejects(core.readModel(new Uint8Array(0)), /carries no contract/));
test("what is no ONNX file", () => assert.rejects(core.readModel(new TextEncoder().encode("<!doctype html><title>404</title>")), /no ONNX file|no contract/));
test("one without a contract", () => assert.rejects(core.readModel(bytesOf(repository("edgeseg/runtime/probe_int8.onnx"))), /carries no contract/));
test("one whose contract was changed", () => assert.rejects(core.readModel(changed('"threshold":0.6', '"threshold":0.5')), /changed after it was sealed/));
test("one whose weights were changed", async () => {
  const copy = Uint8Array.from(whole);
  copy[200_000] ^= 1;
  await assert.rejects(core.readModel(copy), /not the one its contract was sealed with|cut short/);
});

const contract = () => JSON.parse(text);
const refused = (change, said) => {
  const plain = contract();
  change(plain);
  assert.throws(() => core.parseContract(JSON.stringify(plain)), said);
};

test("contracts that cannot be honoured", () => {
  refused((plain) => (plain.schema_version = 9), /version 9, and this page reads 1 to 6/);
  refused((plain) => (plain.passes = 3), /passes is 3; 1 or 2 is needed/);
  refused((plain) => (plain.channels = ["t1", "t2", "t1"]), /its channels are t1, t2, t1; each needs a name of its own/);
  refused((plain) => (plain.channels = Array.from("abcdefghi")), /asks for 9 channels, and this page takes 1 to 8/);
  refused((plain) => (plain.reference_channel = "dwi"), /names the channel dwi, and its channels are/);
  refused((plain) => (plain.plane = "coronal"), /takes coronal slices of a volume, and this page reads slices as they are; run it with: edgeseg run/);
  refused((plain) => (plain.height = 100_000), /100000 x 256; each side/);
  refused((plain) => (plain.threshold = 1), /threshold is 1/);
  refused((plain) => (plain.normalisation = "z-score"), /do not go together/);
  refused((plain) => (plain.surprise = 1), /surprise is not known/);
  refused((plain) => delete plain.layout, /layout is no text/);
  refused((plain) => (plain.scale = "1"), /scale is no number/);
  assert.throws(() => core.parseContract("{"), /is no object/);
});

test("contracts of several masks that cannot be honoured", () => {
  const region = (name, label, channels) => ({ name, label, channels, threshold: 0.5, post_processing: { min_area_px: 0, min_volume_px: 0, min_share: 0 }, code: [], colour: [] });
  const several = (change) => (plain) => {
    plain.schema_version = 3;
    delete plain.trust;
    plain.classes = ["rest", "core"];
    plain.regions = [region("rest", 1, [0]), region("core", 2, [1])];
    change(plain);
  };
  const good = contract();
  several(() => undefined)(good);
  assert.equal(core.parseContract(JSON.stringify(good)).regions.length, 2);
  refused(several((plain) => plain.regions.pop()), /its regions are rest with labels 1; at least two are needed/);
  refused(several((plain) => (plain.regions[1].label = 1)), /with labels 1, 1; at least two/);
  refused(several((plain) => (plain.regions[1].channels = [2])), /its region 'core' is out of range/);
  refused(several((plain) => (plain.regions[1].label = 256)), /its region 'core' is out of range/);
  refused(several((plain) => (plain.regions[1].threshold = 0)), /its region 'core' is out of range/);
  refused(several((plain) => (plain.regions[0].colour = [1, 2])), /its region 'rest' is out of range/);
  refused(several((plain) => (plain.regions[0].post_processing.min_share = 2)), /post_processing is out of range/);
  refused(several((plain) => (plain.foreground = [1])), /names both foreground and regions/);
  refused(several((plain) => [plain.exclusive, plain.regions[0].channels] = [true, [0, 1]]), /its region 'rest' is out of range/);
  refused((plain) => (plain.exclusive = true), /says how regions share a pixel, and has none/);
});

test("one whose ends are not those of its contract", async () => {
  const model = await core.readModel(whole);
  await assert.rejects(core.OrtEngine.open({ ...model, contract: { ...model.contract, height: 128 } }, false), /has the size 1 x .* and its contract says/);
  await assert.rejects(core.OrtEngine.open({ ...model, metadata: new Map() }, false), /what the codes of its input mean/);
});

test("one whose graph ONNX Runtime cannot open", async () => {
  const model = await core.readModel(whole);
  await assert.rejects(core.OrtEngine.open({ ...model, bytes: whole.subarray(0, 100_000) }, false), /cannot be opened in this browser/);
});

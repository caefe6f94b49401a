// int8 in whole numbers gives every code of ONNX Runtime's integer graph, and what cannot be computed so is left as it is.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as core from "../generated/core/core.mjs";
import { bytesOf, FLOAT, INT8, jsonOf, repository, WASM } from "./files.mjs";

before(() => core.setUp(bytesOf(WASM)));

const golden = jsonOf(repository("tests/golden/golden.json"));
const slices = golden.slices.map(({ file }) => {
  const { height, width, values } = core.decodePng(file, bytesOf(repository(`tests/golden/${file}`)));
  return { height, width, bytes: values };
});

/** Noise of all grey values, in which every layer is driven to its ends. */
function noise(seed) {
  let state = seed;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
  return { height: 256, width: 256, bytes: Uint8Array.from({ length: 256 * 256 * 3 }, next) };
}

for (const network of ["tiny", "micro", "small", "light"]) {
  test(`${network}: no code differs from the integer graph's`, async () => {
    const model = await core.readModel(bytesOf(repository(`models/${network}/onnx-int8.onnx`)));
    const [exact, whole] = [await core.OrtEngine.open(model, true), await core.OrtEngine.openWhole(model)];
    assert.equal(whole.numerics, "int8, exact (whole numbers in float32)");
    const preparer = new core.Preparer(model.contract);
    for (const [index, slice] of [...slices, noise(1), noise(2)].entries()) {
      const planes = preparer.prepare(slice, [slice.height, slice.width]);
      const tables = core.ownTables(model.contract, planes);
      const [wanted, found] = [await exact.logits(planes, tables), await whole.logits(planes, tables)];
      assert.equal(found.reduce((count, value, at) => count + (value === wanted[at] ? 0 : 1), 0), 0, `slice ${index}`);
    }
    assert.deepEqual((({ flips, passed }) => ({ flips, passed }))(await core.selfTest(whole)), { flips: 0, passed: true });
    for (const one of [exact, whole, await whole.again()]) await one.close();
  });
}

test("a network of floats is left as it is", async () => {
  assert.equal(await core.OrtEngine.openWhole(await core.readModel(bytesOf(FLOAT))), null);
});

const graph = () => core.readGraph(bytesOf(INT8));
const written = (nodes, constants) => core.writeGraph(graph(), nodes, constants);
const raws = () => [...graph().constants.values()].map((one) => one.raw);

test("the graph is written as it was read", () => {
  const { nodes } = graph();
  assert.deepEqual(core.readGraph(written(nodes, raws())).nodes, nodes);
  assert.notEqual(core.inWholeNumbers(written(nodes, raws())), null);
});

const isConv = ({ operator }) => operator === "Conv";
const first = () => graph().nodes.find(isConv);
const weightsOf = (node) => graph().nodes.find(({ outputs }) => outputs[0] === node.inputs[1]).inputs[0];
const changes = {
  "another operator": () => written(graph().nodes.map((node) => (node.operator === "MaxPool" ? { ...node, operator: "AveragePool" } : node)), raws()),
  "weights along another axis": () => written(graph().nodes.map((node) => (node.outputs[0] === first().inputs[1] ? { ...node, attributes: [] } : node)), raws()),
  "sums that float32 may round": () => {
    const large = graph().constants.get(weightsOf(graph().nodes.filter(isConv).toSorted((a, b) => sizeOf(b) - sizeOf(a))[0]));
    const loud = core.constantField(large.name, large.dims, Uint8Array.from(large.values, () => 127), large.type);
    return written(graph().nodes, [...graph().constants.values()].map((one) => (one === large || one.name === large.name ? loud : one.raw)));
  },
  "a constant that is missing": () => written(graph().nodes, raws().slice(1)),
};
const sizeOf = (node) => graph().constants.get(weightsOf(node)).dims.slice(1).reduce((product, size) => product * size, 1);

for (const [what, changed] of Object.entries(changes)) {
  test(`${what}: left as it is`, () => assert.equal(core.inWholeNumbers(changed()), null));
}

test("a file that is cut short is an error", () => {
  assert.throws(() => core.inWholeNumbers(bytesOf(INT8).subarray(0, 100_000)), RangeError);
});

// What a TFLite file says of itself is read as Python reads it, and one that is damaged or another is refused in one sentence.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as core from "../generated/core/core.mjs";
import { bytesOf, contractText, fixture, jsonOf, repository } from "./files.mjs";

let whole;
before(() => { whole = bytesOf(fixture(`site-litert/${jsonOf(fixture("site-litert/site.json")).model.file}`)); });

test("contract and ends are those of the artifact that it was made of", async () => {
  const { text, input, output } = core.tfliteFacts(whole);
  assert.equal(text.trim(), contractText(whole));
  const contract = core.parseContract(text);
  await core.checkSeal(whole, text, contract);
  const made = core.parseContract(contractText(bytesOf(repository("models/light/tflite-int8.tflite"))));
  const unsealed = { content_sha256: null, contract_sha256: null };
  assert.deepEqual({ ...contract, ...unsealed }, { ...made, ...unsealed });
  assert.notEqual(contract.content_sha256, made.content_sha256);
  assert.deepEqual([input.dims, output.dims], [[1, 256, 256, 3], [1, 256, 256, 1]]);
  assert.ok(Math.abs(input.scale - 1 / 255) < 1e-6 && input.zero === -128 && output.scale > 0, JSON.stringify([input, output]));
});

test("a contract that was changed, and weights that were", async () => {
  const { text } = core.tfliteFacts(whole);
  const contract = core.parseContract(text);
  await assert.rejects(core.checkSeal(whole, text.replace('"threshold":0.6', '"threshold":0.5'), contract), /changed after it was sealed/);
  const copy = Uint8Array.from(whole);
  copy[whole.length >> 1] ^= 1;
  await assert.rejects(core.checkSeal(copy, text, contract), /not the one its contract was sealed with/);
});

for (const [what, file, says] of [
  ["an empty file", () => new Uint8Array(0), /no TFLite file/],
  ["another file", () => new TextEncoder().encode("<!doctype html><title>404</title>"), /no TFLite file/],
  ["one that is cut short", () => whole.subarray(0, 1000), /cut short, damaged or no TFLite file/],
  ["one with int8 ends", () => bytesOf(repository("models/light/tflite-int8.tflite")), /no TFLite network in int8 between float32 ends/],
]) {
  test(`${what} is refused`, () => assert.throws(() => core.tfliteFacts(file()), says));
}

test("no cut and no changed byte of its tables is more than a sentence", () => {
  const ends = [...Array(64).keys()].map((part) => Math.floor((whole.length * part) / 64));
  const tries = [...ends.map((end) => whole.subarray(0, end)), ...Array.from({ length: 200 }, (_, at) => {
    const copy = Uint8Array.from(whole);
    copy[at < 40 ? at : whole.length - 20_000 + at * 97] ^= 0x55;
    return copy;
  })];
  for (const one of tries) {
    try {
      core.tfliteFacts(one);
    } catch (error) {
      assert.equal(error.name, "UserError", String(error));
    }
  }
});

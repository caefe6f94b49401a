import { goldenInput, selfTest, type GoldenInput } from "../core/segmenter";
import { CarefulEngine } from "./careful";
import { OrtEngine, readModel, setUp, VERSION, type OrtModel } from "./ort-engine";
import { refused, type Opened, type Runtime } from "./runtime";

type Checked = Omit<Opened, "model">;

/** ONNX Runtime, on one thread, in WebAssembly. */
export const runtime: Runtime = {
  library: "onnxruntime-web",
  version: VERSION,
  format: "onnx",
  async open(bytes, wasm) {
    const model = await readModel(bytes);
    setUp(wasm);
    const opening = OrtEngine.openWhole(model).catch(() => null); // WebAssembly is compiled beside what follows
    const golden = await goldenInput(model.contract);
    return { model, ...((await checked(await opening, golden)) ?? (await asStands(model, golden))) };
  },
};

/** A network of int8 in whole numbers, the fastest, that checked itself; null where it cannot be computed so, or fails its test so. */
async function checked(whole: OrtEngine | null, golden: GoldenInput | null): Promise<Checked | null> {
  if (whole === null) return null;
  const test = await selfTest(whole, golden).catch(() => null);
  if (test?.passed) return { engine: whole, sessions: [whole], test: { flips: test.flips, allowed: test.allowed, fastFlips: null } };
  await whole.close();
  return null;
}

/**
 * A network as its file stands: with ONNX Runtime's exact integer setting first, then as it runs by default, which is
 * faster. Where only the default fails its test, all is computed in the exact setting.
 */
async function asStands(model: OrtModel, golden: GoldenInput | null): Promise<Checked> {
  const exact = await OrtEngine.open(model, true);
  const test = await selfTest(exact, golden);
  if (test !== null && !test.passed) throw refused(test);
  const fast = exact.isInteger ? await OrtEngine.open(model, false) : null;
  const fastTest = fast && (await selfTest(fast, golden));
  const trusted = fast !== null && fastTest?.passed === true;
  if (!trusted) await fast?.close();
  return {
    engine: trusted ? new CarefulEngine(exact, fast) : exact,
    sessions: trusted ? [exact, fast] : [exact],
    test: test && { flips: test.flips, allowed: test.allowed, fastFlips: fastTest && fastTest.flips },
  };
}

import { loadAndCompile, loadLiteRt, Tensor, type CompiledModel } from "@litertjs/core";
import { version } from "@litertjs/core/package.json";
import type { Contract } from "../core/contract";
import { checkSeal, sha256 } from "../core/digest";
import { codes } from "../core/intensity";
import { maskLogits } from "../core/logits";
import { parseContract } from "../core/read-contract";
import { selfTest } from "../core/segmenter";
import { tfliteFacts, type TfliteFacts } from "../core/tflite";
import { cannotOpen, checkDims, checkFinite, dequantised, dimsOf, failedRunning, lookUp } from "./ends";
import { giveWasm } from "./litert-wasm";
import { refused, type Model, type Runtime, type Session } from "./runtime";

type Ends = Pick<TfliteFacts, "input" | "output">;

/** LiteRT.js: TFLite files of int8, on one thread, in WebAssembly without relaxed SIMD, whose results every device has alike. */
export const runtime: Runtime = {
  library: "@litertjs/core",
  version,
  format: "tflite",
  async open(bytes, wasm) {
    const { text, ...ends } = tfliteFacts(bytes);
    const contract = parseContract(text);
    await checkSeal(bytes, text ?? "", contract);
    const model = { bytes, sha256: await sha256(bytes), contract };
    giveWasm(wasm);
    await loadLiteRt("litert_wasm_compat_internal.js").catch((error: unknown) => Promise.reject(cannotOpen(error)));
    const engine = await LitertEngine.open(model, ends);
    const test = await selfTest(engine);
    if (test !== null && !test.passed) throw refused(test);
    return { model, engine, sessions: [engine], test: test && { flips: test.flips, allowed: test.allowed, fastFlips: null } };
  },
};

/** One network that LiteRT.js compiled. */
class LitertEngine implements Session {
  readonly numerics = "int8, LiteRT XNNPACK (32-bit sums)";
  readonly contract: Contract;

  private constructor(
    private readonly model: Model,
    private readonly ends: Ends,
    private readonly compiled: CompiledModel,
  ) {
    this.contract = model.contract;
  }

  static async open(model: Model, ends: Ends): Promise<LitertEngine> {
    const dims = dimsOf(model.contract);
    for (const which of ["input", "output"] as const) checkDims(which, ends[which].dims, dims[which]);
    try {
      return new LitertEngine(model, ends, await loadAndCompile(model.bytes, { accelerator: "wasm", cpuOptions: { numThreads: 1 } }));
    } catch (error) {
      throw cannotOpen(error);
    }
  }

  again(): Promise<LitertEngine> {
    return LitertEngine.open(this.model, this.ends);
  }

  /** Gives the file what its first operator makes the right codes of: they are found here, as every runner finds them. */
  async logits(planes: Uint8Array, tables: Float32Array[]): Promise<Float32Array> {
    const { contract, ends: { input, output } } = this;
    const exact = tables.map((table) => dequantised(codes(table, input.scale, input.zero), input.scale, input.zero));
    const given = lookUp(planes, exact, contract.layout, new Float32Array(planes.length));
    const values = await this.#run(given);
    checkFinite(values);
    return maskLogits(values, contract, output.scale);
  }

  async #run(given: Float32Array): Promise<Float32Array> {
    const tensor = new Tensor(given, [...this.ends.input.dims]);
    try {
      const [found] = await this.compiled.run([tensor]);
      const values = found.toTypedArray() as Float32Array;
      found.delete();
      return values;
    } catch (error) {
      throw failedRunning(error);
    } finally {
      tensor.delete();
    }
  }

  async close(): Promise<void> {
    this.compiled.delete();
  }
}

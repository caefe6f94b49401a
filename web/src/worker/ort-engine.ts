import * as ort from "onnxruntime-web/wasm";
import { CONTRACT_KEY, type Contract } from "../core/contract";
import { checkSeal, sha256 } from "../core/digest";
import { UserError } from "../core/errors";
import { codes } from "../core/intensity";
import { maskLogits } from "../core/logits";
import { onnxMetadata } from "../core/onnx";
import { parseContract } from "../core/read-contract";
import { inWholeNumbers } from "../core/whole-numbers";
import { cannotOpen, checkDims, checkFinite, dequantised, dimsOf, failedRunning, lookUp } from "./ends";
import type { Model, Session } from "./runtime";

/** A network's file with what its metadata says of its ends. */
export interface OrtModel extends Model {
  readonly metadata: Map<string, string>;
}

interface Ends {
  readonly name: string;
  readonly type: "float32" | "int8" | "uint8";
  readonly dims: readonly number[];
  /** What a code means; null for float. */
  readonly scale: readonly [number, number] | null;
}

/** Version of ONNX Runtime, for results. */
export const VERSION = ort.env.versions.web ?? ort.env.versions.common;

/** Reads a network's file and holds it to the digests in its contract. */
export async function readModel(bytes: Uint8Array): Promise<OrtModel> {
  const metadata = onnxMetadata(bytes);
  const text = metadata.get(CONTRACT_KEY);
  const contract = parseContract(text);
  await checkSeal(bytes, text ?? "", contract);
  return { bytes, sha256: await sha256(bytes), metadata, contract };
}

/** Gives ONNX Runtime its WebAssembly, or the address of a file of that type; once, before the first session. */
export function setUp(wasm: Uint8Array | string): void {
  if (typeof wasm === "string") ort.env.wasm.wasmPaths = { wasm };
  else ort.env.wasm.wasmBinary = wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength) as ArrayBuffer;
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "fatal";
}

/**
 * How a network is computed: as its file stands, int8 by ONNX Runtime's integer graph (slow in browsers), int8 by whole
 * numbers in float32, which gives the same codes, or as ONNX Runtime does by default, where codes may differ by one.
 */
export type Numerics = "integers" | "whole numbers" | "default";

const TOLD: Record<Numerics, string> = { integers: "int8, exact (integer graph)", "whole numbers": "int8, exact (whole numbers in float32)", default: "int8, the browser's default kernels" };

/** One ONNX Runtime session in WebAssembly, one thread. */
export class OrtEngine implements Session {
  readonly contract: Contract;
  readonly isInteger: boolean;

  private constructor(
    private readonly model: OrtModel,
    readonly mode: Numerics,
    private readonly session: ort.InferenceSession,
    private readonly input: Ends,
    private readonly output: Ends,
  ) {
    this.contract = model.contract;
    this.isInteger = computesIntegers(model.bytes);
  }

  /** Opens a network in whole numbers; null where it is none of int8, or none that can be computed so. */
  static async openWhole(model: OrtModel): Promise<OrtEngine | null> {
    const bytes = computesIntegers(model.bytes) ? inWholeNumbers(model.bytes) : null;
    return bytes && this.#open(model, bytes, "whole numbers");
  }

  /** Opens a network; `exact` takes ONNX Runtime's integer graph throughout, which is slower here. */
  static open(model: OrtModel, exact: boolean): Promise<OrtEngine> {
    return this.#open(model, model.bytes, exact ? "integers" : "default");
  }

  static async #open(model: OrtModel, bytes: Uint8Array, mode: Numerics): Promise<OrtEngine> {
    let session: ort.InferenceSession;
    try {
      session = await ort.InferenceSession.create(bytes, {
        executionProviders: ["wasm"],
        graphOptimizationLevel: mode === "whole numbers" ? "disabled" : "all",
        extra: mode === "integers" ? { session: { qdqisint8allowed: "1" } } : {},
      });
    } catch (error) {
      throw cannotOpen(error);
    }
    const dims = dimsOf(model.contract);
    const input = ends(session.inputMetadata, session.inputNames, dims.input, model.metadata, "input");
    const output = ends(session.outputMetadata, session.outputNames, dims.output, model.metadata, "output");
    return new OrtEngine(model, mode, session, input, output);
  }

  /** The same network opened once more in the same way. */
  async again(): Promise<OrtEngine> {
    const whole = this.mode === "whole numbers" ? await OrtEngine.openWhole(this.model) : null;
    return whole ?? OrtEngine.open(this.model, this.mode !== "default");
  }

  /** How the arithmetic is done, for results. */
  get numerics(): string {
    return this.isInteger ? TOLD[this.mode] : "float32";
  }

  async logits(planes: Uint8Array, tables: Float32Array[]): Promise<Float32Array> {
    const { input, output, contract } = this;
    const tensor = new ort.Tensor(input.type, this.encode(planes, tables) as never, input.dims);
    let given: ort.InferenceSession.OnnxValueMapType;
    try {
      given = await this.session.run({ [input.name]: tensor });
    } catch (error) {
      throw failedRunning(error);
    }
    const data = given[output.name].data as Float32Array | Int8Array | Uint8Array;
    const values = output.scale === null ? (data as Float32Array) : dequantised(data as Int8Array, ...output.scale);
    checkFinite(values);
    return maskLogits(values, contract, output.scale?.[0] ?? null);
  }

  async close(): Promise<void> {
    await this.session.release();
  }

  /** Bytes to what the network takes, in its layout. */
  private encode(planes: Uint8Array, tables: Float32Array[]): Float32Array | Int8Array | Uint8Array {
    const { scale, type } = this.input;
    const unsigned = type === "uint8";
    const { layout } = this.contract;
    if (scale === null) return lookUp(planes, tables, layout, new Float32Array(planes.length));
    const found = tables.map((table) => codes(table, scale[0], unsigned ? scale[1] - 128 : scale[1]));
    const out = lookUp(planes, found, layout, new Int8Array(planes.length));
    return unsigned ? Uint8Array.from(out, (value) => value + 128) : out;
  }
}

function ends(
  given: readonly ort.InferenceSession.ValueMetadata[], names: readonly string[], dims: readonly number[], metadata: Map<string, string>, which: "input" | "output",
): Ends {
  const [info] = given;
  if (names.length !== 1 || !info.isTensor) throw new UserError(`The network has ${names.length} ${which}s, and one is needed. Another file has to be put on the server.`);
  const { type } = info;
  if (type !== "float32" && type !== "int8" && type !== "uint8") throw new UserError(`The network's ${which} holds ${type}; float32 and int8 are taken. Another file has to be put on the server.`);
  checkDims(which, info.shape, dims);
  return { name: names[0], type, dims, scale: type === "float32" ? null : scaleOf(metadata, which) };
}

function scaleOf(metadata: Map<string, string>, which: string): [number, number] {
  const scale = Number(metadata.get(`edgeseg.${which}_scale`) ?? "none");
  const zero = Number(metadata.get(`edgeseg.${which}_zero_point`) ?? "none");
  if (!(scale > 0 && Number.isFinite(scale) && Number.isInteger(zero))) throw new UserError(`The network does not say what the codes of its ${which} mean. Another file has to be put on the server.`);
  return [scale, zero];
}

/** Whether a network quantises activations, by the operator names that stand in its file as plain text. */
function computesIntegers(bytes: Uint8Array): boolean {
  const text = new TextDecoder("latin1").decode(bytes);
  return ["QuantizeLinear", "QLinearConv", "ConvInteger"].some((name) => new RegExp(`(?<!De)${name}`).test(text));
}

import type { Contract } from "../core/contract";
import { UserError } from "../core/errors";
import type { Engine, SelfTest } from "../core/segmenter";

/** What runs networks here; a page has one of them, and `site.json` says which. */
export type RuntimeName = "onnxruntime" | "litert";

/** A network's file, and what it says of itself. */
export interface Model {
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly contract: Contract;
}

/** One open network; `numerics` says how the arithmetic is done, for results. */
export interface Session extends Engine {
  readonly numerics: string;
  /** The same network opened once more in the same way. */
  again(): Promise<Session>;
  close(): Promise<void>;
}

/** A network that is open and passed its self-test, if it has one. */
export interface Opened {
  readonly model: Model;
  readonly engine: Engine & { readonly numerics: string };
  /** What a benchmark measures: the sessions that are open. */
  readonly sessions: readonly Session[];
  readonly test: { readonly flips: number; readonly allowed: number; readonly fastFlips: number | null } | null;
}

/** A library that runs networks. */
export interface Runtime {
  readonly library: string;
  readonly version: string;
  /** Of the files that it runs, as results of `edgeseg bench` have it. */
  readonly format: "onnx" | "tflite";
  /**
   * Opens a network and lets it check itself. Refuses where more pixels flip than the contract allows.
   * `wasm` is the library's WebAssembly, or the address of a file of that type.
   */
  open(bytes: Uint8Array, wasm: Uint8Array | string): Promise<Opened>;
}

export function refused(test: SelfTest): UserError {
  return new UserError(
    `This browser does not compute the network as it should: on its test picture ${test.flips} pixels differ, and ${test.allowed} may. No masks are drawn. Try another browser or another device.`,
  );
}

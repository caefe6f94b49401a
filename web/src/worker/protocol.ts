import type { ChannelSet } from "../core/channels";
import type { Mask } from "../core/masks";
import type { InputLook } from "../core/input-look";
import type { Finding } from "../files/export";
import type { OddInput } from "./odd-input";
import type { Opened, RuntimeName } from "./runtime";
import type { Trusted } from "./trusted";

/** What the page asks of its worker; `id` comes back with each answer. */
export type Request =
  | ({ kind: "start"; id: number } & Start)
  | { kind: "open"; id: number; files: { path: string; file: Blob }[]; name: string | null }
  | { kind: "choose"; id: number; chosen: (number | null)[] }
  | { kind: "segment"; id: number }
  | { kind: "cancel"; id: number }
  | { kind: "save"; id: number; what: "masks" | "csv" }
  | { kind: "bench"; id: number; runs: number; device: Device };

/** The library to run the network with, and the addresses of the network and of that library's WebAssembly. */
export interface Start {
  readonly runtime: RuntimeName;
  readonly model: string;
  readonly wasm: string;
}

/** What the page knows of the device, for a benchmark's result. */
export interface Device {
  readonly cpu: string;
  readonly architecture: string;
  readonly cores: number;
  readonly os: string;
  readonly browser: string;
  readonly memory_bytes: number | null;
}

/** What a network is and how its self-test went. */
export interface Ready {
  readonly network: string;
  readonly target: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly trainedOn: string;
  readonly licence: string | null;
  readonly intendedUse: string;
  readonly runtime: string;
  readonly numerics: string;
  readonly test: Opened["test"];
  readonly grid: readonly [number, number];
  readonly normalisation: string;
  readonly channels: ChannelSet;
  readonly masks: readonly Mask[];
  /** What inputs look like that it learned from. */
  readonly look: InputLook | null;
}

/** A series to choose from. */
export interface Series {
  readonly name: string;
  readonly detail: string;
}

/** A scan that is ready to be shown: grey values of 8 bits for each channel, slices from feet to head. */
export interface Shown {
  readonly name: string;
  readonly shape: readonly [number, number, number];
  readonly channels: readonly string[];
  /** The number of the channel on whose grid masks lie. */
  readonly on: number;
  readonly volumes: readonly Uint8Array[];
  /** Index (column, row, slice from feet) to RAS mm; null where the place is unknown. */
  readonly affine: readonly (readonly number[])[] | null;
  /** Whether left, right, head and feet are known, not assumed. */
  readonly sided: boolean;
  readonly windows: readonly (readonly [number, number])[];
  readonly whole: boolean;
  readonly warnings: readonly string[];
}

/** What was found of one class. */
export interface Found {
  readonly voxels: number;
  readonly ml: number | null;
  readonly slices: number;
  readonly parts: number;
  /** How far its mask is to be believed; null where that is not known, and where nothing was found. */
  readonly trusted: Trusted | null;
}

/** What a segmentation found. */
export interface Result {
  /** A volume of 0 and 1 for each class. */
  readonly masks: readonly Uint8Array[];
  readonly found: readonly Found[];
  /** Of all classes together. */
  readonly voxels: number;
  readonly volumeMl: number | null;
  readonly slicesWithTumour: number;
  readonly findings: readonly (Finding & { readonly ml: number | null })[];
  readonly seconds: number;
  readonly warnings: readonly string[];
  readonly maskFile: string;
  /** How far the mask, or all together, is to be believed; null where that is not known. */
  readonly trusted: Trusted | null;
  /** What is odd about the input; null where nothing is. */
  readonly odd: OddInput | null;
  /** A volume of 1 where the network is unsure, and 0; null where that is not known. */
  readonly unsure: Uint8Array | null;
}

export type Answer =
  | { id: number; kind: "progress"; share: number; what: string }
  | { id: number; kind: "failed"; message: string; ours: boolean }
  | { id: number; kind: "cancelled" }
  | { id: number; kind: "ready"; value: Ready }
  | { id: number; kind: "series"; name: string; series: Series[]; suggested: (number | null)[] }
  | { id: number; kind: "shown"; value: Shown }
  | { id: number; kind: "result"; value: Result }
  | { id: number; kind: "file"; name: string; type: string; bytes: Uint8Array<ArrayBuffer> }
  | { id: number; kind: "json"; value: unknown };

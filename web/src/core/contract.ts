import { masksOf } from "./masks";
import type { OutputTrust, Trust } from "./trust";

/** The metadata property of an ONNX file that holds the contract. */
export const CONTRACT_KEY = "edgeseg.contract";
/** The newest schema that this reader knows. */
export const SCHEMA_VERSION = 6;
export type Layout = "NCHW" | "NHWC";

/** Which connected components are too small to keep; 0 switches a rule off. */
export interface PostProcessing {
  readonly min_area_px: number;
  readonly min_volume_px: number;
  readonly min_share: number;
}

/** What a normalisation needs to know beside its name. */
export interface Intensity {
  readonly over: "slice" | "volume";
  readonly pixels: "all" | "non-zero";
  readonly zero_stays: boolean;
  readonly together: boolean;
  readonly low: number;
  readonly high: number;
  readonly then: "nothing" | "z-score" | "mean-std";
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The drawing that every device makes for itself, and the mask that this very network drew on it. */
export interface GoldenCase {
  readonly ellipses: readonly (readonly number[])[];
  readonly noise: number;
  readonly blur: number;
  readonly input_sha256: string;
  readonly mask_runs: string;
  readonly mask_sha256: string;
  readonly allowed_flips: number;
  readonly logits: readonly { readonly row: number; readonly column: number; readonly logit: number }[];
  readonly logit_tolerance: number;
}

/** One of several masks that a network's output holds. */
export interface Region {
  readonly name: string;
  /** Numbers of the output channels that it is made of. */
  readonly channels: readonly number[];
  /** Its value in label maps; where regions overlap the later one is written. */
  readonly label: number;
  readonly threshold: number;
  readonly post_processing: PostProcessing;
  /** Red, green and blue; empty for one of `COLOURS`. */
  readonly colour: readonly number[];
  /** How far its mask is to be believed; null where nobody measured it. */
  readonly trust: OutputTrust | null;
}

/** What an artifact says of itself; docs/reference/contract.md has every field, and they have their names there. */
export interface Contract {
  readonly variant: { readonly name: string; readonly alpha: number; readonly stem: string; readonly profile: string; readonly widths: readonly number[] };
  readonly tier: string;
  readonly target: string;
  readonly layout: Layout;
  readonly output_layout: Layout;
  readonly channels: readonly string[];
  readonly height: number;
  readonly width: number;
  readonly normalisation: "unit" | "slice" | "mean-std" | "z-score" | "percentile";
  readonly intensity: Intensity | null;
  readonly scale: number;
  readonly output: "logits" | "probabilities" | "softmax";
  readonly classes: readonly string[];
  readonly foreground: readonly number[];
  readonly regions: readonly Region[];
  readonly exclusive: boolean;
  readonly reference_channel: string | null;
  readonly stand_in: string | null;
  readonly plane: string;
  readonly threshold: number;
  readonly post_processing: PostProcessing;
  readonly trained_on: string;
  readonly licence: string | null;
  readonly intended_use: string;
  readonly golden: GoldenCase | null;
  readonly content_sha256: string | null;
  readonly contract_sha256: string | null;
  /** How far a mask is to be believed; null where nobody measured it. */
  readonly trust: Trust | null;
  /** How often the network sees a slice: once, or also with left and right exchanged. */
  readonly passes: number;
}

/** The threshold in logit space, `log(t / (1 - t))`, in double precision. */
export function logitThreshold({ threshold }: { readonly threshold: number }): number {
  return Math.log(threshold / (1 - threshold));
}

/** Whether the pixels of a whole volume have to be counted before its first slice can be normalised. */
export function byVolume(contract: Contract): boolean {
  return contract.intensity !== null && contract.normalisation !== "mean-std" && contract.intensity.over === "volume";
}

/** Whether a rule is on for volumes, or for lone slices. */
export function applies(rules: PostProcessing, volume: boolean): boolean {
  return volume ? rules.min_volume_px > 0 || rules.min_share > 0 : rules.min_area_px > 0;
}

/** The network's name, as edgeseg's tables have it. */
export function slug(contract: Contract): string {
  const { name, alpha, stem, profile } = contract.variant;
  return `${name}-${alpha}-${stem}${profile === "double" ? "" : `-${profile}`}`;
}

/** Whether small components of any mask are dropped from volumes, or from lone slices. */
export function drops(contract: Contract, volume: boolean): boolean {
  return masksOf(contract).some((mask) => applies(mask.post_processing, volume));
}

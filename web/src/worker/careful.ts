import { logitThreshold, type Contract } from "../core/contract";
import { masksOf, type Mask } from "../core/masks";
import type { Engine } from "../core/segmenter";
import { levelOf } from "../core/tally";
import type { OrtEngine } from "./ort-engine";

/**
 * A network in int8 as fast as its masks allow: ONNX Runtime's default kernels look at a slice first, and where a pixel
 * comes near a threshold, as beside any tumour, the exact integer graph decides. The neighbour of such a slice goes to
 * the exact graph at once. So masks are those of the exact graph, and so is what is counted above the levels of
 * `trust`; slices without a finding cost a third.
 */
export class CarefulEngine implements Engine {
  readonly contract: Contract;
  readonly numerics = "int8, exact (integer graph) in slices with a finding, default kernels in others";
  readonly #near: readonly number[];
  #expected = false;

  constructor(
    readonly exact: OrtEngine,
    readonly fast: OrtEngine,
  ) {
    this.contract = exact.contract;
    const { golden } = this.contract;
    const least = ({ trust, ...mask }: Mask): number => Math.min(logitThreshold(mask), trust ? levelOf(trust.low) : Infinity);
    this.#near = masksOf(this.contract).map((mask) => least(mask) - (golden?.logit_tolerance ?? Infinity));
  }

  async logits(planes: Uint8Array, tables: Float32Array[]): Promise<Float32Array> {
    const first = await (this.#expected ? this.exact : this.fast).logits(planes, tables);
    const pixels = first.length / this.#near.length;
    const near = this.#near.some((least, place) => first.subarray(place * pixels, (place + 1) * pixels).some((logit) => logit > least));
    const given = near && !this.#expected ? await this.exact.logits(planes, tables) : first;
    this.#expected = near;
    return given;
  }
}

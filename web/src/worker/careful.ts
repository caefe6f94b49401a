import { logitThreshold, type Contract } from "../core/contract";
import type { Engine } from "../core/segmenter";
import type { OrtEngine } from "./engine";

/**
 * A network in int8 as fast as its masks allow: ONNX Runtime's default kernels look at a slice first, and where a pixel
 * comes near the threshold, as beside any tumour, the exact integer graph decides. The neighbour of such a slice goes to
 * the exact graph at once. So masks are those of the exact graph, and slices without a finding cost a third.
 */
export class CarefulEngine implements Engine {
  readonly contract: Contract;
  readonly numerics = "int8, exact (integer graph) in slices with a finding, default kernels in others";
  readonly #near: number;
  #expected = false;

  constructor(
    readonly exact: OrtEngine,
    readonly fast: OrtEngine,
  ) {
    this.contract = exact.contract;
    this.#near = logitThreshold(this.contract) - (this.contract.golden?.logit_tolerance ?? Infinity);
  }

  async logits(planes: Uint8Array, tables: Float32Array[]): Promise<Float32Array> {
    const first = await (this.#expected ? this.exact : this.fast).logits(planes, tables);
    const near = first.some((logit) => logit > this.#near);
    const given = near && !this.#expected ? await this.exact.logits(planes, tables) : first;
    this.#expected = near;
    return given;
  }
}

import type { Contract } from "./contract";
import { masksOf, type Mask } from "./masks";
import { OutputTally, unsureOf, type OutputCounts } from "./tally";
import { joined, judge, type Verdict } from "./verdict";

/** Counts the logits of each mask of a volume of which the contract can tell something: `edgeseg/runtime/trusted.py`. */
export class TrustTally {
  readonly #masks: readonly Mask[];
  readonly #tallies: readonly (OutputTally | null)[];

  private constructor(masks: readonly Mask[]) {
    this.#masks = masks;
    this.#tallies = masks.map(({ trust }) => trust && new OutputTally(trust));
  }

  /** Begins a volume; null where nothing is to be told of any of its masks. */
  static of(contract: Contract): TrustTally | null {
    const masks = masksOf(contract);
    return masks.some(({ trust }) => trust) ? new TrustTally(masks) : null;
  }

  /** Counts the next slice: logits as the network gave them, a plane for each mask, so many to a row. */
  add(logits: Float32Array, width: number): void {
    for (const [place, tally] of this.#tallies.entries()) tally?.add(this.#plane(logits, place), width);
  }

  /** 1 where the network is unsure of one of these masks, of logits on any grid; null where it is nowhere. */
  unsure(logits: Float32Array): Uint8Array | null {
    const found = this.#masks.flatMap(({ trust }, place) => (trust && unsureOf(this.#plane(logits, place), trust)) ?? []);
    const [any, ...others] = found;
    for (const one of others) for (let at = 0; at < any.length; at++) any[at] |= one[at];
    return any ?? null;
  }

  /** What was counted so far of each mask; null of those of which nothing is to be told. */
  get counts(): (OutputCounts | null)[] {
    return this.#tallies.map((tally) => tally && tally.counts);
  }

  /** What the counts mean, of each mask. */
  get verdicts(): (Verdict | null)[] {
    return this.counts.map((counts, place) => {
      const { trust } = this.#masks[place];
      return counts && trust && judge(counts, trust);
    });
  }

  /** What they mean together. */
  get verdict(): Verdict | null {
    const { verdicts } = this;
    return verdicts.length === 1 ? verdicts[0] : joined(verdicts.map((one, place) => [this.#masks[place].name, one]));
  }

  #plane(logits: Float32Array, place: number): Float32Array {
    const pixels = logits.length / this.#masks.length;
    return logits.subarray(place * pixels, (place + 1) * pixels);
  }
}

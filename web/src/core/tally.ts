import type { OutputTrust, TrustFeatureName } from "./trust";

/** What was counted on a volume: docs/reference/contract.md, "Trust"; all are whole numbers. */
export interface OutputCounts {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
  readonly border: number;
  readonly shared: number;
  readonly paired: number;
}

/** A probability in logit space, `log(p / (1 - p))` in double precision and then rounded to float32. */
export function levelOf(p: number): number {
  return Math.fround(Math.log(p / (1 - p)));
}

/** Counts over the slices of one volume, of which one mask is kept: `edgeseg/trust/tally.py`, step by step. */
export class OutputTally {
  readonly #levels: readonly [number, number, number];
  #low = 0;
  #middle = 0;
  #high = 0;
  #border = 0;
  #shared = 0;
  #paired = 0;
  #before: Uint8Array | null = null;
  #countBefore = 0;
  #first = true;

  constructor({ low, middle, high }: Pick<OutputTrust, "low" | "middle" | "high">) {
    this.#levels = [levelOf(low), levelOf(middle), levelOf(high)];
  }

  /** Counts the next slice: logits as the network gave them, on its own grid, so many to a row. */
  add(logits: Float32Array, width: number): void {
    const [low, middle, high] = this.#levels;
    const mask = new Uint8Array(logits.length);
    let [might, inside, surely] = [0, 0, 0];
    for (let at = 0; at < logits.length; at++) {
      const logit = logits[at];
      if (!(logit > low)) continue;
      might++;
      if (!(logit > middle)) continue;
      mask[at] = 1;
      inside++;
      if (logit > high) surely++;
    }
    this.#low += might;
    this.#middle += inside;
    this.#high += surely;
    if (!this.#first) this.#paired += inside + this.#countBefore;
    const before = this.#before;
    if (inside > 0) {
      this.#border += borderOf(mask, width);
      if (before !== null) for (let at = 0; at < mask.length; at++) this.#shared += mask[at] & before[at];
    }
    [this.#before, this.#countBefore, this.#first] = [inside > 0 ? mask : null, inside, false];
  }

  /** What was counted so far. */
  get counts(): OutputCounts {
    return { low: this.#low, middle: this.#middle, high: this.#high, border: this.#border, shared: this.#shared, paired: this.#paired };
  }
}

/** The features of a volume; null where no pixel is above the middle level. */
export function featuresOf({ low, middle, high, border, shared, paired }: OutputCounts): Readonly<Record<TrustFeatureName, number>> | null {
  if (middle === 0) return null;
  return { log_unsure_border: Math.log(Math.max(low - high, 1) / border), neighbours: paired === 0 ? 0 : (2 * shared) / paired };
}

/** 1 where a logit lies between the low and the high level, so that the network is unsure; null where none does. */
export function unsureOf(logits: Float32Array, trust: Pick<OutputTrust, "low" | "high">): Uint8Array | null {
  const [low, high] = [levelOf(trust.low), levelOf(trust.high)];
  const found = new Uint8Array(logits.length);
  for (let at = 0; at < logits.length; at++) if (logits[at] > low && !(logits[at] > high)) found[at] = 1;
  return found.includes(1) ? found : null;
}

/** How many pixels of a mask have a neighbour, up, down, left or right, outside it; outside the slice nothing is in it. */
function borderOf(mask: Uint8Array, width: number): number {
  let count = 0;
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === 0) continue;
    const column = at % width;
    const inner = column > 0 && column < width - 1 && mask[at - 1] && mask[at + 1] && mask[at - width] && mask[at + width];
    if (!inner) count++;
  }
  return count;
}

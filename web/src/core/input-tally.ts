/** What is counted on the slices that a network is given: `edgeseg/trust/input_tally.py`, step by step. */
export const GRID = 64;
export const POINTS = GRID * GRID;
const SLICES = 12;
const TISSUE = 15;
const WHITE = 250;
const BANDS = 4;
const EACH = 2;

/** The numbers, from 0 on, of the slices of a volume of `count` slices that are looked at. */
export function slicesLookedAt(count: number): readonly number[] {
  const looks = Math.min(count, SLICES);
  return Array.from({ length: looks }, (_, k) => Math.floor((k * (count - 1)) / Math.max(1, looks - 1)));
}

const many = (count: number, size: number): Float64Array[] => Array.from({ length: count }, () => new Float64Array(size));

/** Counts over the slices of one volume; all are whole numbers, and of what is per pair the first index is the first channel. */
export class InputTally {
  slices = 0;
  burnt = 0;
  /** Head points of each slice. */
  readonly areas: number[] = [];
  /** In how many slices each point was of the head. */
  readonly heads = new Float64Array(POINTS);
  /** Of each channel, bytes of each point summed over the slices in which it was of the head. */
  readonly sums: Float64Array[];
  readonly squares: Float64Array[];
  /** Of each channel, differences to the neighbouring pixel and to the next point. */
  readonly steps: Float64Array[];
  readonly black: Float64Array;
  readonly white: Float64Array;
  readonly outside: Float64Array;
  /** Of each channel, bytes of the points of rim, bone, cortex and core. */
  readonly bands: Float64Array[];
  readonly bandPoints = new Float64Array(BANDS);
  readonly brighter: Float64Array[];
  readonly apart: Float64Array[];
  /** Of each channel, bytes of all points and their squares. */
  readonly everywhere: Float64Array[];
  readonly shown: boolean[];
  readonly #first: number[] = [];

  constructor(readonly channels: number) {
    this.sums = many(channels, POINTS);
    [this.squares, this.brighter, this.apart] = [many(channels, channels), many(channels, channels), many(channels, channels)];
    [this.steps, this.everywhere, this.bands] = [many(channels, 2), many(channels, 2), many(channels, BANDS)];
    [this.black, this.white, this.outside] = many(3, channels);
    this.shown = Array.from({ length: channels }, () => false);
  }

  /** Counts the next slice that is looked at, plane after plane on the network's grid. */
  add(planes: Uint8Array, height: number, width: number): void {
    const points = this.sums.map(() => new Uint8Array(POINTS));
    const beside = this.sums.map(() => new Uint8Array(POINTS));
    const burnt = new Uint8Array(POINTS).fill(1);
    const head = new Uint8Array(POINTS);
    for (let at = 0; at < POINTS; at++) {
      const row = place(Math.floor(at / GRID), height) * width;
      const column = place(at % GRID, width);
      for (let channel = 0; channel < this.channels; channel++) {
        const from = channel * height * width + row;
        points[channel][at] = planes[from + column];
        beside[channel][at] = planes[from + Math.min(column + 1, width - 1)];
        if (points[channel][at] > TISSUE) head[at] = 1;
        if (points[channel][at] < WHITE || beside[channel][at] < WHITE) burnt[at] = 0;
      }
    }
    const depth = depthOf(head);
    let area = 0;
    for (let at = 0; at < POINTS; at++) {
      this.burnt += burnt[at];
      if (!head[at]) continue;
      area++;
      this.heads[at]++;
      this.bandPoints[depth[at] - 1]++;
    }
    if (this.slices === 0) this.#first.push(...points.map((one) => one[0]));
    this.slices++;
    this.areas.push(area);
    const totals = points.map((one, channel) => this.#channel(channel, one, beside[channel], head, depth));
    for (let one = 0; one < this.channels; one++) for (let other = one; other < this.channels; other++) this.#pair(one, other, points, totals, head, depth);
  }

  /** The standard deviation of a channel's bytes over all points. */
  deviation(channel: number): number {
    const points = this.slices * POINTS;
    const [total, squares] = this.everywhere[channel];
    const mean = total / points;
    return Math.sqrt(Math.max(0, squares / points - mean * mean));
  }

  /** Counts one channel; its bytes over the head. */
  #channel(channel: number, points: Uint8Array, beside: Uint8Array, head: Uint8Array, depth: Uint8Array): number {
    const [steps, everywhere, bands] = [this.steps[channel], this.everywhere[channel], this.bands[channel]];
    let total = 0;
    for (let at = 0; at < POINTS; at++) {
      const value = points[at];
      everywhere[0] += value;
      everywhere[1] += value * value;
      if (value !== this.#first[channel]) this.shown[channel] = true;
      if (!head[at]) {
        this.outside[channel] += value;
        continue;
      }
      total += value;
      this.sums[channel][at] += value;
      bands[depth[at] - 1] += value;
      steps[0] += Math.abs(value - beside[at]);
      if (at % GRID < GRID - 1 && head[at + 1]) steps[1] += Math.abs(points[at + 1] - value);
      if (value <= TISSUE) this.black[channel]++;
      if (value >= WHITE) this.white[channel]++;
    }
    return total;
  }

  #pair(one: number, other: number, points: Uint8Array[], totals: number[], head: Uint8Array, depth: Uint8Array): void {
    let [squares, apart, ours, theirs] = [0, 0, 0, 0];
    const [first, second] = [points[one], points[other]];
    for (let at = 0; at < POINTS; at++) {
      const a = first[at];
      const b = second[at];
      apart += Math.abs(a - b);
      if (!head[at]) continue;
      squares += a * b;
      if (depth[at] <= EACH) continue;
      if (2 * a * totals[other] > 3 * b * totals[one]) ours++;
      if (2 * b * totals[one] > 3 * a * totals[other]) theirs++;
    }
    this.squares[one][other] += squares;
    if (one === other) return;
    this.squares[other][one] += squares;
    this.apart[one][other] += apart;
    this.brighter[one][other] += ours;
    this.brighter[other][one] += theirs;
  }
}

function place(index: number, size: number): number {
  return Math.floor(((2 * index + 1) * size) / (2 * GRID));
}

/** Of each point 0 outside the head, and from 1 to 4 in its rim, bone, cortex and core. */
function depthOf(head: Uint8Array): Uint8Array {
  const depth = Uint8Array.from(head);
  let left = head;
  for (let times = 1; times < BANDS * EACH - 1; times++) {
    left = smaller(left);
    if (times % EACH === 0) for (let at = 0; at < POINTS; at++) depth[at] += left[at];
  }
  return depth;
}

/** The points whose four neighbours are there too; outside the grid nothing is. */
function smaller(all: Uint8Array): Uint8Array {
  const found = new Uint8Array(POINTS);
  for (let row = 1; row < GRID - 1; row++) {
    for (let at = row * GRID + 1; at < (row + 1) * GRID - 1; at++) found[at] = all[at] & all[at - 1] & all[at + 1] & all[at - GRID] & all[at + GRID];
  }
  return found;
}

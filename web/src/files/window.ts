import { rint } from "../core/prepare";
import type { Sequence } from "./sequence";

const BRIGHT_GREY = 148;
/** What is said of a sequence without any picture. */
export const ONE_VALUE = "holds one value everywhere";
const [LOW, BRIGHT, HIGH, TISSUE] = [0.01, 0.995, 0.99, 0.1];
const [MAX_PLANES, MAX_SAMPLES] = [48, 1_000_000];
const [MIN_SHARE, MIN_BORDER_SHARE, MIN_GAP] = [0.005, 0.05, 0.25];
const [AMID_SHARE, AMID_BORDER_SHARE, BELOW_SHARE, BELOW] = [0.1, 0.3, 0.01, 0.1];

/** Which intensities become black (`low`) and the bright end of tissue (`high`), in the file's own unit. */
export interface Window {
  readonly low: number;
  readonly high: number;
}

/** A sequence's window, values that are no intensities, and what is odd: the rules of `edgeseg/data/intensity.py` and `blank.py`. */
export interface Found {
  readonly window: Window;
  readonly blanks: readonly number[];
  readonly warnings: readonly string[];
}

/** Finds the window of a sequence. */
export function windowOf(sequence: Sequence): Found {
  const { sample, border } = sampleOf(sequence);
  const blanks = findBlanks(sample, border);
  const window = windowOfSample(sample.filter((value) => !blanks.includes(value)));
  const warnings = blanks.map((value) => `Many voxels hold ${value}, which is no grey value; they were taken as background.`);
  if (!(window.high > window.low)) warnings.push(`It ${ONE_VALUE}.`);
  else if (window.low < -900) warnings.push("It has values as CT has them; the network was trained on MRI.");
  return { window, blanks, warnings };
}

/** Maps a plane to grey values of 8 bits; what is not finite becomes 0. */
export function applyWindow({ window: { low, high }, blanks }: Found, plane: Float64Array): Uint8Array {
  const grey = new Uint8Array(plane.length);
  if (!(high > low)) return grey;
  for (let at = 0; at < plane.length; at++) {
    const value = blanks.length && blanks.includes(plane[at]) ? low : plane[at];
    if (Number.isFinite(value)) grey[at] = Math.min(255, Math.max(0, rint(BRIGHT_GREY * ((value - low) / (high - low)))));
  }
  return grey;
}

/** Voxels of a sequence, and those at the border of its slices. */
function sampleOf(sequence: Sequence): { sample: Float64Array; border: Float64Array } {
  const [slices, rows, columns] = sequence.shape;
  const count = Math.min(slices, MAX_PLANES);
  const by = (slices - 1) / Math.max(1, count - 1);
  const chosen = [...new Set(Array.from({ length: count }, (_, k) => (k > 0 && k === count - 1 ? slices - 1 : Math.trunc(k * by))))];
  const step = Math.max(1, Math.ceil(Math.sqrt((chosen.length * rows * columns) / MAX_SAMPLES)));
  const [sample, border]: [number[], number[]] = [[], []];
  for (const index of chosen) {
    const plane = sequence.plane(index);
    for (let y = 0; y < rows; y += step) for (let x = 0; x < columns; x += step) sample.push(plane[y * columns + x]);
    for (let x = 0; x < columns; x++) border.push(plane[x], plane[(rows - 1) * columns + x]);
    for (let y = 0; y < rows; y++) border.push(plane[y * columns], plane[(y + 1) * columns - 1]);
  }
  return { sample: Float64Array.from(sample).filter(Number.isFinite), border: Float64Array.from(border).filter(Number.isFinite) };
}

function windowOfSample(sample: Float64Array): Window {
  if (sample.length === 0) return { low: 0, high: 0 };
  const sorted = sample.toSorted();
  const [low, bright] = [quantile(sorted, LOW), quantile(sorted, BRIGHT)];
  const tissue = sorted.filter((value) => value > low + TISSUE * (bright - low));
  return { low, high: tissue.length ? quantile(tissue, HIGH) : low };
}

/** NumPy's linear quantile of sorted values. */
export function quantile(sorted: Float64Array, share: number): number {
  const place = (sorted.length - 1) * share;
  const before = Math.floor(place);
  const part = place - before;
  const [a, b] = [sorted[before], sorted[Math.min(before + 1, sorted.length - 1)]];
  return part >= 0.5 ? b - (b - a) * (1 - part) : a + (b - a) * part;
}

function findBlanks(sample: Float64Array, border: Float64Array): number[] {
  let rest = sample.toSorted();
  const found: number[] = [];
  for (const above of [true, false]) {
    if (rest.length < 2 || border.length === 0) break;
    const value = above ? rest[rest.length - 1] : rest[0];
    const others = rest.filter((one) => one !== value);
    if (1 - others.length / rest.length < MIN_SHARE || others.length === 0 || (!above && value >= 0)) continue;
    const [least, most] = [others[0], others[others.length - 1]];
    const apart = above ? value - most : least - value;
    if (apart > MIN_GAP * (most - least) && share(border, (one) => one === value) > MIN_BORDER_SHARE) {
      found.push(value);
      rest = others;
    }
  }
  const amid = findAmid(rest, border);
  return amid === null ? found : [...found, amid];
}

/** The value of a background that tissue reaches below, as in standardised volumes. */
function findAmid(sorted: Float64Array, border: Float64Array): number | null {
  if (sorted.length === 0 || border.length === 0) return null;
  let [value, most, start] = [sorted[0], 0, 0];
  for (let at = 1; at <= sorted.length; at++) {
    if (at < sorted.length && sorted[at] === sorted[start]) continue;
    if (at - start > most) [value, most] = [sorted[start], at - start];
    start = at;
  }
  if (most < AMID_SHARE * sorted.length || share(border, (one) => one === value) < AMID_BORDER_SHARE) return null;
  const bright = quantile(sorted, BRIGHT);
  return share(sorted, (one) => one < value - BELOW * (bright - value)) >= BELOW_SHARE ? value : null;
}

function share(values: Float64Array, test: (value: number) => boolean): number {
  let count = 0;
  for (const value of values) if (test(value)) count++;
  return count / values.length;
}

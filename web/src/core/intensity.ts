import type { Contract, Intensity } from "./contract";
import { rint } from "./prepare";

const LEVELS = 256;
const LEAST_DEVIATION = 1e-9;

/** Counts the grey values of each channel of one slice, plane after plane, into `counts`: channels of 256. */
export function countInto(planes: Uint8Array, counts: Float64Array[]): void {
  const grid = planes.length / counts.length;
  for (const [channel, row] of counts.entries()) {
    for (let at = channel * grid; at < (channel + 1) * grid; at++) row[planes[at]]++;
  }
}

/** Empty counts for `countInto`. */
export function emptyCounts(contract: Contract): Float64Array[] {
  return contract.channels.map(() => new Float64Array(LEVELS));
}

/**
 * What each byte of each channel becomes, 256 float32 values a channel: the same sums, products, quotients and roots of
 * doubles in the same order as `edgeseg/imaging/intensity.py`, so the same to the last bit. `counts` may be null where
 * there is no intensity.
 */
export function tables(contract: Contract, counts: Float64Array[] | null): Float32Array[] {
  const spec = contract.intensity;
  if (spec === null || counts === null) {
    const scale = Math.fround(contract.scale);
    return contract.channels.map(() => Float32Array.from({ length: LEVELS }, (_, level) => level * scale));
  }
  const inside = spec.pixels === "non-zero";
  const counted = counts.map((row) => (inside ? row.with(0, 0) : row));
  const every = Float64Array.from({ length: LEVELS }, (_, level) => counted.reduce((sum, row) => sum + row[level], 0));
  return counted.map((row, channel) => {
    const table = Float32Array.from(values(contract, spec, row, every, channel));
    if (inside && spec.zero_stays && contract.normalisation !== "mean-std") table[0] = 0;
    return table;
  });
}

/** The tables of one slice by itself. */
export function ownTables(contract: Contract, planes: Uint8Array): Float32Array[] {
  if (contract.intensity === null) return tables(contract, null);
  const counts = emptyCounts(contract);
  countInto(planes, counts);
  return tables(contract, counts);
}

/** The codes of values: `clip(round(x / scale) + zero, low, low + 255)`, halves to even. */
export function codes(values: Float32Array, scale: number, zero: number): Int8Array {
  return Int8Array.from(values, (value) => Math.min(127, Math.max(-128, rint(value / scale) + zero)));
}

function values(contract: Contract, spec: Intensity, counts: Float64Array, every: Float64Array, channel: number): Float64Array {
  const levels = Float64Array.from({ length: LEVELS }, (_, level) => level);
  const first = spec.together ? every : counts;
  if (contract.normalisation === "mean-std") return standardised(levels.map((level) => level * contract.scale), spec.mean[channel], spec.std[channel]);
  if (contract.normalisation === "z-score") return standardised(levels, ...meanAndDeviation(levels, first));
  const [low, high] = [percentile(first, spec.low), percentile(first, spec.high)];
  if (!(high > low)) return new Float64Array(LEVELS);
  const shares = levels.map((level) => Math.min(Math.max((level - low) / (high - low), 0), 1));
  if (spec.then === "z-score") return standardised(shares, ...meanAndDeviation(shares, counts));
  return spec.then === "mean-std" ? standardised(shares, spec.mean[channel], spec.std[channel]) : shares;
}

function standardised(values: Float64Array, mean: number, deviation: number): Float64Array {
  return deviation <= LEAST_DEVIATION ? new Float64Array(values.length) : values.map((value) => (value - mean) / deviation);
}

function meanAndDeviation(values: Float64Array, counts: Float64Array): [number, number] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return [0, 0];
  let sum = 0;
  for (let level = 0; level < LEVELS; level++) sum += counts[level] * values[level];
  const mean = sum / total;
  let squares = 0;
  for (let level = 0; level < LEVELS; level++) squares += counts[level] * ((values[level] - mean) * (values[level] - mean));
  return [mean, Math.sqrt(squares / total)];
}

function percentile(counts: Float64Array, share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return 0;
  const place = (share * (total - 1)) / 100;
  const rank = Math.floor(place);
  const low = ranked(counts, rank);
  const high = ranked(counts, Math.min(rank + 1, total - 1));
  return low + (high - low) * (place - rank);
}

function ranked(counts: Float64Array, rank: number): number {
  for (let level = 0; level < LEVELS; level++) {
    rank -= counts[level];
    if (rank < 0) return level;
  }
  return LEVELS - 1;
}

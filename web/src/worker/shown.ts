import { CHANNELS, type Channel } from "../core/contract";
import { Cancelled, UserError } from "../core/errors";
import type { Scan } from "../files/scan";
import type { Shown } from "./protocol";

const MAX_VOXELS = 150e6;

/** Reads a scan once: what is shown, and the same scan with its slices in memory. */
export async function shownOf(scan: Scan, progress: (share: number) => void, cancelled: () => boolean, breathe: () => Promise<void>): Promise<{ scan: Scan; shown: Shown }> {
  const sizes = Array.from({ length: scan.reference === null ? scan.count : 1 }, (_, index) => scan.slice(index));
  const height = Math.max(...sizes.map((slice) => slice.height));
  const width = Math.max(...sizes.map((slice) => slice.width));
  const size = height * width;
  if (size * scan.count > MAX_VOXELS) throw new UserError(`The scan has ${(size * scan.count / 1e6).toFixed(0)} million voxels, and a browser takes ${MAX_VOXELS / 1e6} million. Resample it to about 1 mm first.`);
  const volumes = Object.fromEntries(CHANNELS.map((channel) => [channel, new Uint8Array(size * scan.count)])) as Record<Channel, Uint8Array>;
  for (let index = 0; index < scan.count; index++) {
    if (cancelled()) throw new Cancelled();
    const slice = scan.slice(index);
    for (const [place, channel] of CHANNELS.entries()) {
      const volume = volumes[channel];
      for (let y = 0; y < slice.height; y++) {
        for (let x = 0; x < slice.width; x++) volume[index * size + y * width + x] = slice.bytes[(y * slice.width + x) * 3 + place];
      }
    }
    progress((index + 1) / scan.count);
    await breathe();
  }
  const kept = CHANNELS.map((channel) => volumes[channel].slice());
  const slice = scan.reference === null ? scan.slice : (index: number) => {
    const bytes = new Uint8Array(size * CHANNELS.length);
    for (const [place, volume] of kept.entries()) for (let at = 0; at < size; at++) bytes[at * CHANNELS.length + place] = volume[index * size + at];
    return { height, width, bytes };
  };
  const windows = Object.fromEntries(CHANNELS.map((channel) => [channel, automatic(volumes[channel])])) as Record<Channel, readonly [number, number]>;
  const missing = CHANNELS.filter((channel) => channel !== "flair" && volumes[channel].every((value, at) => value === volumes.flair[at]));
  return {
    scan: { ...scan, slice },
    shown: { name: scan.name, shape: [scan.count, height, width], volumes, affine: affineOf(scan), windows, whole: scan.whole, missing, warnings: scan.warnings },
  };
}

/** A window that the bright skull does not take over: from the 2nd to the 98th percentile of what is not black. */
function automatic(volume: Uint8Array): readonly [number, number] {
  const counts = new Float64Array(256);
  for (const value of volume) counts[value]++;
  counts[0] = 0;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const at = (share: number): number => {
    let sum = 0;
    return counts.findIndex((count) => (sum += count) >= share * total);
  };
  return total === 0 ? [0, 255] : [at(0.02), Math.max(at(0.02) + 1, at(0.98))];
}

/** (column, row, slice) to RAS mm of a grid that takes (slice, row, column) to LPS. */
function affineOf(scan: Scan): readonly (readonly number[])[] | null {
  return scan.grid === null ? null : scan.grid.affine.map(([slice, row, column, origin], line) => [column, row, slice, origin].map((value) => (line < 2 ? -value : value)));
}

import { Cancelled, UserError } from "../core/errors";
import type { Scan } from "../files/scan";
import type { Shown } from "./protocol";

/** Of the channels and masks of a scan: 150 million voxels of three and one. */
const MAX_BYTES = 600e6;

/** Reads a scan once, for a number of masks: what is shown, and the same scan with its slices in memory. */
export async function shownOf(scan: Scan, masks: number, progress: (share: number) => void, cancelled: () => boolean, breathe: () => Promise<void>): Promise<{ scan: Scan; shown: Shown }> {
  const sizes = Array.from({ length: scan.reference === null ? scan.count : 1 }, (_, index) => scan.slice(index));
  const height = Math.max(...sizes.map((slice) => slice.height));
  const width = Math.max(...sizes.map((slice) => slice.width));
  const size = height * width;
  const most = MAX_BYTES / (scan.channels.length + masks);
  if (size * scan.count > most) throw new UserError(`The scan has ${(size * scan.count / 1e6).toFixed(0)} million voxels, and a browser takes ${(most / 1e6).toFixed(0)} million. Resample it to about 1 mm first.`);
  const { channels } = scan;
  const volumes = channels.map(() => new Uint8Array(size * scan.count));
  for (let index = 0; index < scan.count; index++) {
    if (cancelled()) throw new Cancelled();
    const slice = scan.slice(index);
    for (const [place, volume] of volumes.entries()) {
      for (let y = 0; y < slice.height; y++) {
        for (let x = 0; x < slice.width; x++) volume[index * size + y * width + x] = slice.bytes[(y * slice.width + x) * channels.length + place];
      }
    }
    progress((index + 1) / scan.count);
    await breathe();
  }
  const kept = volumes.map((volume) => volume.slice());
  const slice = scan.reference === null ? scan.slice : (index: number) => {
    const bytes = new Uint8Array(size * channels.length);
    for (const [place, volume] of kept.entries()) for (let at = 0; at < size; at++) bytes[at * channels.length + place] = volume[index * size + at];
    return { height, width, bytes };
  };
  return {
    scan: { ...scan, slice },
    shown: { name: scan.name, shape: [scan.count, height, width], channels, on: scan.on, volumes, affine: affineOf(scan), sided: scan.grid !== null && scan.reference?.assumed !== true, windows: volumes.map(automatic), whole: scan.whole, warnings: scan.warnings },
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

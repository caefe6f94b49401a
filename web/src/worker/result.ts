import { Components } from "../core/components";
import type { Segmentation } from "../core/segmenter";
import type { Scan } from "../files/scan";
import type { Finding } from "../files/export";
import type { Result } from "./protocol";

const MUCH = 0.6;

/** The volume of one voxel in mL; null where distances are unknown. */
export function voxelMl(scan: Scan): number | null {
  return scan.pixelMm === null || scan.sliceMm === null ? null : (scan.pixelMm[0] * scan.pixelMm[1] * scan.sliceMm) / 1000;
}

/** What is told of a segmentation. */
export function resultOf(scan: Scan, found: Segmentation, seconds: number): Result {
  const ml = voxelMl(scan);
  const counts = found.masks.map((mask) => mask.reduce((sum, value) => sum + value, 0));
  const voxels = counts.reduce((sum, count) => sum + count, 0);
  const { mask, height, width } = stacked(scan, found);
  const all = findings(mask, scan.count, height, width, scan.whole);
  return {
    mask,
    voxels,
    volumeMl: ml === null ? null : voxels * ml,
    slicesWithTumour: counts.filter((count) => count > 0).length,
    findings: all.map((one) => ({ ...one, ml: ml === null ? null : one.voxels * ml })),
    seconds,
    warnings: doubts(scan, found, voxels),
    maskFile: scan.reference?.header === undefined ? "Masks (zip)" : "Mask (NIfTI)",
  };
}

/** Masks in one array; slices of other sizes lie at the upper left. */
function stacked(scan: Scan, found: Segmentation): { mask: Uint8Array; height: number; width: number } {
  const shapes = found.masks.map((_, index) => scan.slice(index));
  const [height, width] = [Math.max(...shapes.map((one) => one.height)), Math.max(...shapes.map((one) => one.width))];
  const mask = new Uint8Array(scan.count * height * width);
  for (const [index, one] of found.masks.entries()) {
    for (let y = 0; y < shapes[index].height; y++) mask.set(one.subarray(y * shapes[index].width, (y + 1) * shapes[index].width), (index * height + y) * width);
  }
  return { mask, height, width };
}

/** The components of the final masks, the largest first, each with the slice where it is largest and its middle there. */
function findings(mask: Uint8Array, count: number, height: number, width: number, whole: boolean): Finding[] {
  const size = height * width;
  const groups = whole ? [[0, count]] : Array.from({ length: count }, (_, index) => [index, index + 1]);
  const all: Finding[] = [];
  for (const [from, to] of groups) {
    const components = new Components(height, width);
    for (let index = from; index < to; index++) components.add(mask.subarray(index * size, (index + 1) * size));
    const places = components.sizes().map((voxels) => ({ voxels, slices: new Map<number, { pixels: number; rows: number; columns: number }>() }));
    for (let index = from; index < to; index++) {
      components.runs(index - from, (owner, first, last) => {
        const at = places[owner].slices.get(index) ?? { pixels: 0, rows: 0, columns: 0 };
        at.pixels += last - first;
        at.rows += Math.floor(first / width) * (last - first);
        at.columns += (((first % width) + ((last - 1) % width)) / 2) * (last - first);
        places[owner].slices.set(index, at);
      });
    }
    for (const { voxels, slices } of places) {
      const [slice, most] = [...slices].reduce((best, one) => (one[1].pixels > best[1].pixels ? one : best));
      const numbers = [...slices.keys()];
      all.push({ voxels, slice, row: Math.round(most.rows / most.pixels), column: Math.round(most.columns / most.pixels), firstSlice: Math.min(...numbers), lastSlice: Math.max(...numbers) });
    }
  }
  return all.sort((one, other) => other.voxels - one.voxels);
}

/** Why masks should not be believed, in the words of `edgeseg run`. */
function doubts(scan: Scan, found: Segmentation, voxels: number): string[] {
  let [signal, some] = [0, false];
  for (let index = 0; index < scan.count; index++) {
    const { bytes } = scan.slice(index);
    for (let at = 1; at < bytes.length; at += 3) if (bytes[at] > 0) signal++;
    some ||= bytes.some((value) => value !== bytes[0]);
  }
  const told: string[] = [];
  if (!some) told.push("No slice has a signal: this is no picture of a head.");
  else if (voxels > MUCH * signal) told.push(`More than ${MUCH * 100} % of what is not black is marked: do not believe this mask.`);
  if (found.masks.length > 0 && voxels === 0) told.push("Nothing was found. That does not mean that nothing is there.");
  return told;
}

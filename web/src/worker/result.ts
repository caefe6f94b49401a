import { Components } from "../core/components";
import { byVolume, type Contract } from "../core/contract";
import { masksOf, type Mask } from "../core/masks";
import type { Segmentation } from "../core/segmenter";
import type { Scan } from "../files/scan";
import type { Finding } from "../files/export";
import type { Found, Result } from "./protocol";
import { oddInput } from "./odd-input";
import { toldOf } from "./trusted";

const MUCH = 0.6;

/** The volume of one voxel in mL; null where distances are unknown. */
export function voxelMl(scan: Scan): number | null {
  return scan.pixelMm === null || scan.sliceMm === null ? null : (scan.pixelMm[0] * scan.pixelMm[1] * scan.sliceMm) / 1000;
}

/** What is told of a segmentation. */
export function resultOf(scan: Scan, found: Segmentation, contract: Contract, seconds: number): Result {
  const masks = masksOf(contract);
  const ml = voxelMl(scan);
  const { volumes, height, width } = stacked(scan, found.masks, masks.length);
  const size = height * width;
  const findings = volumes.flatMap((volume, mask) => findingsOf(mask, volume, scan.count, height, width, scan.whole));
  const counts = volumes.map(countOf);
  const { all: trusted, each } = toldOf(found, masks, counts, ml);
  const classes = volumes.map((volume, mask) => {
    const voxels = counts[mask];
    const slices = Array.from({ length: scan.count }, (_, index) => volume.subarray(index * size, (index + 1) * size).includes(1)).filter(Boolean).length;
    return { voxels, ml: ml === null ? null : voxels * ml, slices, parts: findings.filter((one) => one.mask === mask).length, trusted: each[mask] };
  });
  const any = union(volumes);
  const voxels = countOf(any);
  return {
    masks: volumes,
    found: classes,
    voxels,
    volumeMl: ml === null ? null : voxels * ml,
    slicesWithTumour: Array.from({ length: scan.count }, (_, index) => any.subarray(index * size, (index + 1) * size).includes(1)).filter(Boolean).length,
    findings: findings.sort((one, other) => other.voxels - one.voxels).map((one) => ({ ...one, ml: ml === null ? null : one.voxels * ml })),
    seconds,
    warnings: [...doubts(scan, voxels, contract, trusted?.because === "nothing-found"), ...absent(masks, classes)],
    trusted,
    odd: oddInput(found.oddity, scan.warnings),
    unsure: trusted && stacked(scan, found.unsure, 1).volumes[0],
    maskFile: scan.reference?.header === undefined ? "Masks (zip)" : "Mask (NIfTI)",
  };
}

/** A volume for each of so many planes of a slice; slices of other sizes lie at the upper left. */
function stacked(scan: Scan, found: readonly (Uint8Array | null)[], count: number): { volumes: Uint8Array[]; height: number; width: number } {
  const shapes = found.map((_, index) => scan.slice(index));
  const [height, width] = [Math.max(...shapes.map((one) => one.height)), Math.max(...shapes.map((one) => one.width))];
  const volumes = Array.from({ length: count }, () => new Uint8Array(scan.count * height * width));
  for (const [index, one] of found.entries()) {
    if (one === null) continue;
    const { height: rows, width: columns } = shapes[index];
    for (const [place, volume] of volumes.entries()) {
      for (let y = 0; y < rows; y++) volume.set(one.subarray((place * rows + y) * columns, (place * rows + y + 1) * columns), (index * height + y) * width);
    }
  }
  return { volumes, height, width };
}

function union(volumes: readonly Uint8Array[]): Uint8Array {
  if (volumes.length === 1) return volumes[0];
  const any = Uint8Array.from(volumes[0]);
  for (const volume of volumes.slice(1)) for (let at = 0; at < any.length; at++) any[at] |= volume[at];
  return any;
}

/** How many pixels of a mask are 1. */
export function countOf(mask: Uint8Array): number {
  return mask.reduce((sum, value) => sum + value, 0);
}

/** The components of the final masks of one class, each with the slice where it is largest and its middle there. */
function findingsOf(mask: number, volume: Uint8Array, count: number, height: number, width: number, whole: boolean): Finding[] {
  const size = height * width;
  const groups = whole ? [[0, count]] : Array.from({ length: count }, (_, index) => [index, index + 1]);
  const all: Finding[] = [];
  for (const [from, to] of groups) {
    const components = new Components(height, width);
    for (let index = from; index < to; index++) components.add(volume.subarray(index * size, (index + 1) * size));
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
      all.push({ mask, voxels, slice, row: Math.round(most.rows / most.pixels), column: Math.round(most.columns / most.pixels), firstSlice: Math.min(...numbers), lastSlice: Math.max(...numbers) });
    }
  }
  return all;
}

/** Why masks should not be believed, in the words of `edgeseg run`; `said` where it is told elsewhere that nothing was found. */
function doubts(scan: Scan, voxels: number, contract: Contract, said: boolean): string[] {
  let [signal, some] = [0, false];
  const step = scan.channels.length;
  for (let index = 0; index < scan.count; index++) {
    const { bytes } = scan.slice(index);
    for (let at = scan.on; at < bytes.length; at += step) if (bytes[at] > 0) signal++;
    some ||= bytes.some((value) => value !== bytes[0]);
  }
  const told: string[] = [];
  if (byVolume(contract) && !scan.whole) told.push("The network's grey values are normalised over a whole volume, and these slices stand alone: the masks can differ. Open the folder with all slices.");
  if (!some) told.push("No slice has a signal: each has one value throughout.");
  else if (voxels > MUCH * signal) told.push(`More than ${MUCH * 100} % of what is not black is marked: do not believe this mask.`);
  if (scan.count > 0 && voxels === 0 && !said) told.push("Nothing was found. That does not mean that nothing is there.");
  return told;
}

/** Which classes no voxel is of, where others were found. */
function absent(masks: readonly Mask[], found: readonly Found[]): string[] {
  const names = masks.filter((_, place) => found[place].voxels === 0).map((mask) => mask.name);
  return names.length === 0 || names.length === masks.length ? [] : [`Nothing was found of ${names.join(", ")}. That does not mean that nothing is there.`];
}

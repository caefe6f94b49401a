import { CHANNELS, type Channel } from "../core/contract";
import { UserError } from "../core/errors";
import type { PixelMm, Slice, } from "../core/prepare";
import type { Volume } from "../core/segmenter";
import { coveredShare, sameGrid, spacing, type Grid } from "./grid";
import type { Picture } from "./picture";
import { planeOnGrid, type Sequence } from "./sequence";
import { applyWindow, windowOf, type Found } from "./window";

const ENOUGH_COVER = 0.9;

/** One patient's slices as the network takes them, and what is known of where they lie. */
export interface Scan extends Volume {
  readonly name: string;
  readonly sliceNames: readonly string[];
  readonly sliceMm: number | null;
  readonly grid: Grid | null;
  /** The sequence on whose voxels masks lie; null for pictures of three channels. */
  readonly reference: Sequence | null;
  readonly warnings: readonly string[];
}

/** Pictures that hold all three sequences; they are a volume where their names count them and their sizes agree. */
export function pictureScan(name: string, pictures: readonly Picture[], whole: boolean): Scan {
  const warnings: string[] = [];
  const equal = pictures.every(({ values }) => values.every((value, at) => value === values[at - (at % 3)]));
  if (equal) warnings.push("All three channels are equal: the pictures seem to hold one sequence, not three.");
  warnings.push("Pictures do not say where left and right are, nor how large a pixel is: sizes are given in pixels.");
  return {
    name,
    count: pictures.length,
    whole,
    pixelMm: null,
    sliceMm: null,
    grid: null,
    reference: null,
    sliceNames: pictures.map((picture) => picture.name.replace(/^.*\//, "").replace(/\.[^.]*$/, "")),
    warnings,
    slice: (index) => ({ height: pictures[index].height, width: pictures[index].width, bytes: pictures[index].values as Uint8Array }),
  };
}

/** Three sequences as one scan: on FLAIR's grid, each in the 8-bit range of the training data, as `edgeseg/data/scan.py`. */
export function sequenceScan(name: string, chosen: { readonly flair: Sequence } & Partial<Record<Channel, Sequence>>): Scan {
  const { flair } = chosen;
  const warnings: string[] = [];
  const windows = new Map<Sequence, Found | null>();
  const elsewhere = new Set<Sequence>();
  for (const channel of CHANNELS) {
    const sequence = chosen[channel];
    if (sequence === undefined) {
      warnings.push(`There is no series ${WORDS[channel]}: FLAIR stands in its place, as it did in training.`);
      continue;
    }
    warnings.push(...sequence.warnings.map((one) => `${sequence.name}: ${one}`));
    if (sequence !== flair) match(sequence, flair, elsewhere, warnings);
    const found = sequence.isBytes ? null : windowOf(sequence);
    windows.set(sequence, found);
    warnings.push(...(found?.warnings ?? []).map((one) => `${sequence.name}: ${one}`));
  }
  const sizes = flair.grid === null ? null : spacing(flair.grid.affine);
  return {
    name,
    count: flair.shape[0],
    whole: true,
    pixelMm: sizes === null ? null : [sizes[1], sizes[2]],
    sliceMm: sizes === null || flair.shape[0] === 1 ? null : sizes[0],
    grid: flair.grid,
    reference: flair,
    sliceNames: Array.from({ length: flair.shape[0] }, (_, index) => `slice_${String(index + 1).padStart(3, "0")}`),
    warnings,
    slice: (index) => {
      const [, height, width] = flair.shape;
      const bytes = new Uint8Array(height * width * CHANNELS.length);
      const read = new Map<Sequence, Uint8Array>();
      for (const [place, channel] of CHANNELS.entries()) {
        const sequence = chosen[channel] ?? flair;
        const plane = read.get(sequence) ?? grey(sequence, flair, index, windows.get(sequence) ?? null, elsewhere);
        read.set(sequence, plane);
        for (let at = 0; at < plane.length; at++) bytes[at * CHANNELS.length + place] = plane[at];
      }
      return { height, width, bytes };
    },
  };
}

/** What a channel is called on the page. */
export const WORDS: Record<Channel, string> = { pre: "before contrast", flair: "FLAIR", post: "after contrast" };

function grey(sequence: Sequence, flair: Sequence, index: number, found: Found | null, elsewhere: Set<Sequence>): Uint8Array {
  const away = elsewhere.has(sequence) && sequence.grid !== null && flair.grid !== null;
  const planes = found?.blanks.length ? (at: number): Float64Array => sequence.plane(at).map((value) => (found.blanks.includes(value) ? found.window.low : value)) : sequence.plane;
  const { plane, inside } = away ? planeOnGrid(sequence.shape, sequence.grid as Grid, planes, flair.grid as Grid, index) : { plane: sequence.plane(index), inside: null };
  const values = found === null ? Uint8Array.from(plane, (value) => Math.round(value) || 0) : applyWindow(found, plane);
  return inside === null ? values : values.map((value, at) => (inside[at] ? value : 0));
}

function match(sequence: Sequence, flair: Sequence, elsewhere: Set<Sequence>, warnings: string[]): void {
  if (sequence.grid === null || flair.grid === null) {
    if (sequence.shape.join() === flair.shape.join()) return;
    throw new UserError(`${sequence.name} has ${sequence.shape.join(" x ")} and ${flair.name} ${flair.shape.join(" x ")} slices, rows and columns. Pictures of the three series must agree; open NIfTI or DICOM files, which know their place.`);
  }
  if (sameGrid(sequence.grid, flair.grid)) return;
  const share = coveredShare(sequence.grid, flair.grid);
  if (share === 0) throw new UserError(`${sequence.name} does not overlap with FLAIR anywhere. Are both of one patient and one visit?`);
  elsewhere.add(sequence);
  warnings.push(`${sequence.name} lies on another grid than FLAIR and was resampled to it.`);
  if (share < ENOUGH_COVER) warnings.push(`${sequence.name} covers ${(share * 100).toFixed(0)} % of FLAIR; it is black elsewhere.`);
}

/** Grey pictures of one sequence as a sequence that does not know its place. */
export function greySequence(name: string, pictures: readonly Picture[]): Sequence {
  const [first] = pictures;
  const odd = pictures.find((one) => one.height !== first.height || one.width !== first.width || one.values.BYTES_PER_ELEMENT !== first.values.BYTES_PER_ELEMENT);
  if (odd) throw new UserError(`${odd.name} is ${odd.height} x ${odd.width} pixels and ${first.name} ${first.height} x ${first.width}. All slices of a series must have one size and depth.`);
  return {
    name,
    shape: [pictures.length, first.height, first.width],
    grid: null,
    isBytes: first.values instanceof Uint8Array,
    warnings: [],
    plane: (index) => Float64Array.from(pictures[index].values),
  };
}

export type { PixelMm, Slice };

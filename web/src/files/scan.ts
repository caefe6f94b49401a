import { called, type ChannelSet } from "../core/channels";
import { UserError } from "../core/errors";
import type { PixelMm, Slice, } from "../core/prepare";
import type { Volume } from "../core/segmenter";
import { coveredShare, sameGrid, spacing, type Grid } from "./grid";
import type { Picture } from "./picture";
import { planeOnGrid, type Sequence } from "./sequence";
import { applyWindow, windowOf, type Found } from "./window";

const ENOUGH_COVER = 0.9;
/** What is said of a sequence that takes the place of one that was not given, and of pictures that hold one sequence. */
export const STANDS_IN = "stands in its place";
export const ALL_EQUAL = "channels are equal";

/** One patient's slices as the network takes them, and what is known of where they lie. */
export interface Scan extends Volume {
  readonly name: string;
  readonly sliceNames: readonly string[];
  readonly sliceMm: number | null;
  readonly grid: Grid | null;
  /** The place of the channel on whose grid masks lie. */
  readonly on: number;
  /** The sequence on whose voxels masks lie; null for pictures that hold all channels. */
  readonly reference: Sequence | null;
  readonly warnings: readonly string[];
}

/** Pictures that hold all channels; they are a volume where their names count them and their sizes agree. */
export function pictureScan(name: string, pictures: readonly Picture[], whole: boolean, channels: readonly string[], on: number): Scan {
  const warnings: string[] = [];
  const count = channels.length;
  const equal = count > 1 && pictures.every(({ values }) => values.every((value, at) => value === values[at - (at % count)]));
  if (equal) warnings.push(`All ${count} ${ALL_EQUAL}: the pictures seem to hold one sequence, not ${count}.`);
  warnings.push("Pictures do not say where left and right are, nor how large a pixel is: sizes are given in pixels.");
  return {
    name,
    count: pictures.length,
    channels,
    on,
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

/** Sequences as one scan, on the grid of the reference, each in the 8-bit range of the training data, as `edgeseg/data/scan.py`. */
export function sequenceScan(name: string, channels: ChannelSet, chosen: readonly (Sequence | null)[]): Scan {
  const { names, standIn } = channels;
  const on = names.indexOf(channels.reference);
  const reference = chosen[on];
  if (reference === null) throw new UserError(`Choose which series is ${called(channels.reference)}; the masks lie on its grid.`);
  const warnings: string[] = [];
  const windows = new Map<Sequence, Found | null>();
  const elsewhere = new Set<Sequence>();
  const taken = names.map((channel, place) => {
    const sequence = chosen[place];
    if (sequence !== null) return sequence;
    const other = standIn === null ? null : chosen[names.indexOf(standIn)];
    if (other === null) throw new UserError(`There is no series for ${called(channel)}, and the network cannot do without it. Open a scan that has all of ${names.map(called).join(", ")}.`);
    warnings.push(`There is no series for ${called(channel)}: ${called(standIn ?? "")} ${STANDS_IN}, as it did in training.`);
    return other;
  });
  for (const sequence of new Set(taken)) {
    warnings.push(...sequence.warnings.map((one) => `${sequence.name}: ${one}`));
    if (sequence !== reference) match(sequence, reference, elsewhere, warnings);
    const found = sequence.isBytes ? null : windowOf(sequence);
    windows.set(sequence, found);
    warnings.push(...(found?.warnings ?? []).map((one) => `${sequence.name}: ${one}`));
  }
  const sizes = reference.grid === null ? null : spacing(reference.grid.affine);
  return {
    name,
    count: reference.shape[0],
    channels: names,
    on,
    whole: true,
    pixelMm: sizes === null ? null : [sizes[1], sizes[2]],
    sliceMm: sizes === null || reference.shape[0] === 1 ? null : sizes[0],
    grid: reference.grid,
    reference,
    sliceNames: Array.from({ length: reference.shape[0] }, (_, index) => `slice_${String(index + 1).padStart(3, "0")}`),
    warnings,
    slice: (index) => {
      const [, height, width] = reference.shape;
      const bytes = new Uint8Array(height * width * taken.length);
      const read = new Map<Sequence, Uint8Array>();
      for (const [place, sequence] of taken.entries()) {
        const plane = read.get(sequence) ?? grey(sequence, reference, index, windows.get(sequence) ?? null, elsewhere);
        read.set(sequence, plane);
        for (let at = 0; at < plane.length; at++) bytes[at * taken.length + place] = plane[at];
      }
      return { height, width, bytes };
    },
  };
}

function grey(sequence: Sequence, on: Sequence, index: number, found: Found | null, elsewhere: Set<Sequence>): Uint8Array {
  const away = elsewhere.has(sequence) && sequence.grid !== null && on.grid !== null;
  const planes = found?.blanks.length ? (at: number): Float64Array => sequence.plane(at).map((value) => (found.blanks.includes(value) ? found.window.low : value)) : sequence.plane;
  const { plane, inside } = away ? planeOnGrid(sequence.shape, sequence.grid as Grid, planes, on.grid as Grid, index) : { plane: sequence.plane(index), inside: null };
  const values = found === null ? Uint8Array.from(plane, (value) => Math.round(value) || 0) : applyWindow(found, plane);
  return inside === null ? values : values.map((value, at) => (inside[at] ? value : 0));
}

function match(sequence: Sequence, on: Sequence, elsewhere: Set<Sequence>, warnings: string[]): void {
  if (sequence.grid === null || on.grid === null) {
    if (sequence.shape.join() === on.shape.join()) return;
    throw new UserError(`${sequence.name} has ${sequence.shape.join(" x ")} and ${on.name} ${on.shape.join(" x ")} slices, rows and columns. Pictures of all series must agree; open NIfTI or DICOM files, which know their place.`);
  }
  if (sameGrid(sequence.grid, on.grid)) return;
  const share = coveredShare(sequence.grid, on.grid);
  if (share === 0) throw new UserError(`${sequence.name} does not overlap with ${on.name} anywhere. Are both of one patient and one visit?`);
  elsewhere.add(sequence);
  warnings.push(`${sequence.name} lies on another grid than ${on.name} and was resampled to it.`);
  if (share < ENOUGH_COVER) warnings.push(`${sequence.name} covers ${(share * 100).toFixed(0)} % of ${on.name}; it is black elsewhere.`);
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

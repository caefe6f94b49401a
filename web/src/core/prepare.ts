import { channelsOf, pictured } from "./channels";
import type { Contract } from "./contract";
import { UserError } from "./errors";
import { Resampler } from "./resample";

const STRETCH_SHARE = 0.99;
const ASPECT_TOLERANCE = 0.01;

/** One slice as it is stored: `height * width * channels` bytes, rows from the top, the channels of a pixel together. */
export interface Slice {
  readonly height: number;
  readonly width: number;
  readonly bytes: Uint8Array;
}

/** Distances between rows and between columns in mm; null where they are unknown. */
export type PixelMm = readonly [number, number] | null;

/** Python's `round`: to the nearest whole number, halves to the even one. */
export function rint(value: number): number {
  const low = Math.floor(value);
  const part = value - low;
  if (part !== 0.5) return part < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** The size a slice is padded to with black, at the right and below, so that resampling keeps its proportions. */
export function framedSize(height: number, width: number, contract: Contract, pixelMm: PixelMm): readonly [number, number] {
  if (pixelMm === null) return [height, width];
  const aspect = (height * pixelMm[0]) / contract.height / ((width * pixelMm[1]) / contract.width);
  if (Math.abs(aspect - 1) <= ASPECT_TOLERANCE) return [height, width];
  return aspect > 1 ? [height, rint(width * aspect)] : [rint(height / aspect), width];
}

/** From stored slices to the bytes that a network takes, plane after plane in the contract's order. */
export class Preparer {
  #resampler: Resampler | null = null;

  /** For each channel of the network its place in a slice, or that of what stands in for it. */
  readonly #places: readonly number[];

  /** `channels` are those of the slices. */
  constructor(
    readonly contract: Contract,
    readonly channels: readonly string[] = pictured(contract),
  ) {
    const { standIn } = channelsOf(contract);
    this.#places = contract.channels.map((name) => {
      const place = channels.indexOf(channels.includes(name) ? name : (standIn ?? name));
      if (place < 0) throw new UserError(`The network needs ${name}, and the slices hold ${channels.join(", ")}. Open a scan that has all of ${contract.channels.join(", ")}.`);
      return place;
    });
  }

  /** `channels * height * width` bytes on the contract's grid; `size` is that of `framedSize`. */
  prepare(slice: Slice, size: readonly [number, number]): Uint8Array {
    const { contract } = this;
    const grid = contract.height * contract.width;
    const planes = new Uint8Array(this.#places.length * grid);
    if (this.#resampler?.from.join() !== size.join()) this.#resampler = new Resampler(size, [contract.height, contract.width]);
    for (const [index, place] of this.#places.entries()) {
      const plane = this.#resampler.bytes(framed(slice, place, this.channels.length, size));
      if (contract.normalisation === "slice") stretch(plane);
      planes.set(plane, index * grid);
    }
    return planes;
  }
}

function framed(slice: Slice, channel: number, channels: number, [height, width]: readonly [number, number]): Uint8Array {
  const plane = new Uint8Array(height * width);
  for (let y = 0, from = channel; y < slice.height; y++) {
    for (let x = 0, at = y * width; x < slice.width; x++, at++, from += channels) plane[at] = slice.bytes[from];
  }
  return plane;
}

/** Stretches one plane in place, so that 99 % of its pixels above 0 stay below white; see docs/reference/contract.md. */
export function stretch(plane: Uint8Array): void {
  const counts = new Int32Array(256);
  for (const value of plane) counts[value]++;
  const total = plane.length - counts[0];
  if (total === 0) return;
  let [sum, white] = [0, 0];
  do sum += counts[++white];
  while (sum < STRETCH_SHARE * total);
  for (let at = 0; at < plane.length; at++) plane[at] = Math.min(255, Math.floor((plane[at] * 255) / white));
}

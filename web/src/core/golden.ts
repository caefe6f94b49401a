import type { GoldenCase } from "./contract";
import { UserError } from "./errors";

const CHANNELS = 3;

/** A golden drawing as a slice of other channels: each is one of its three planes, the first, the second, the third, the first again. */
export function asSlice(drawing: Uint8Array, channels: number): Uint8Array {
  if (channels === CHANNELS) return drawing;
  return Uint8Array.from({ length: (drawing.length / CHANNELS) * channels }, (_, at) => drawing[Math.floor(at / channels) * CHANNELS + ((at % channels) % CHANNELS)]);
}

/** The drawing of a golden case in whole numbers, `height * width * 3` bytes: docs/reference/contract.md, "The drawing". */
export function draw(golden: GoldenCase, height: number, width: number): Uint8Array {
  let image = new Uint8Array(height * width * CHANNELS);
  for (const ellipse of golden.ellipses) paint(image, ellipse, height, width);
  for (let at = 0; at < image.length; at++) {
    if (image[at] > 0) image[at] = Math.min(255, Math.max(0, image[at] + noise(at, golden.noise)));
  }
  for (let pass = 0; pass < golden.blur; pass++) image = boxFilter(image, height, width);
  return image;
}

function paint(image: Uint8Array, ellipse: readonly number[], height: number, width: number): void {
  const centreY = Math.floor((ellipse[0] * height) / 512);
  const centreX = Math.floor((ellipse[1] * width) / 512);
  const radiusY = Math.floor((ellipse[2] * height) / 512);
  const radiusX = Math.floor((ellipse[3] * width) / 512);
  const [yy, xx] = [radiusY * radiusY, radiusX * radiusX];
  const colour = ellipse.slice(4);
  for (let row = 0; row < height; row++) {
    const a = 2 * row + 1 - centreY;
    for (let column = 0, at = row * width * CHANNELS; column < width; column++, at += CHANNELS) {
      const b = 2 * column + 1 - centreX;
      if (a * a * xx + b * b * yy > xx * yy) continue;
      for (let channel = 0; channel < CHANNELS; channel++) image[at + channel] = colour[channel];
    }
  }
}

/** `i * i * 4241` passes 2**53 for large pictures, so squares are reduced first; the remainder is the same. */
function noise(i: number, amplitude: number): number {
  const square = (((i % 65521) * (i % 65521)) % 65521) * 4241;
  const mixed = (square + (i * 7) + Math.floor(i / 8) * 40503) % 65521;
  return (mixed % (2 * amplitude + 1)) - amplitude;
}

/** The mean of 3 x 3 pixels, halves up; beyond an edge lies its pixel again. Sums of three rows first, then of three columns. */
function boxFilter(image: Uint8Array, height: number, width: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(image.length);
  const line = width * CHANNELS;
  const sums = new Int32Array(line);
  for (let row = 0; row < height; row++) {
    const [above, own, below] = [Math.max(0, row - 1) * line, row * line, Math.min(height - 1, row + 1) * line];
    for (let at = 0; at < line; at++) sums[at] = image[above + at] + image[own + at] + image[below + at];
    for (let at = 0; at < line; at++) {
      const left = at < CHANNELS ? at : at - CHANNELS;
      const right = at + CHANNELS < line ? at + CHANNELS : at;
      out[own + at] = Math.floor((sums[left] + sums[at] + sums[right] + 4) / 9);
    }
  }
  return out;
}

/** Reads a mask from run lengths: how many pixels are 0, then how many are 1, and so on. */
export function decodeRuns(text: string, pixels: number): Uint8Array {
  const mask = new Uint8Array(pixels);
  let at = 0;
  for (const [index, word] of text.split(" ").filter(Boolean).entries()) {
    const length = /^\d+$/.test(word) ? Number(word) : -1;
    if (length < 0 || at + length > pixels) throw new UserError("The network's golden mask is damaged. The network has to be put on the server again.");
    if (index % 2 === 1) mask.fill(1, at, at + length);
    at += length;
  }
  return mask;
}

/** Writes a mask as such run lengths; a last run of 0 is left out. */
export function encodeRuns(mask: Uint8Array): string {
  const runs: number[] = [];
  let [start, value] = [0, 0];
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === value) continue;
    runs.push(at - start);
    [start, value] = [at, mask[at]];
  }
  if (value === 1) runs.push(mask.length - start);
  return runs.join(" ");
}

/** How many pixels of two masks differ. */
export function flips(one: Uint8Array, other: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) count++;
  return count;
}

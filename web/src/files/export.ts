import { gzipSync, zipSync } from "fflate";
import type { Mask } from "../core/masks";
import { encodePng } from "./png";
import type { NiftiHeader } from "./nifti";

const NOTE = "edgeseg; research use only, not a medical device";

/** One finding: a component of the final masks; `mask` is the number of its class. */
export interface Finding {
  readonly mask: number;
  readonly voxels: number;
  readonly slice: number;
  readonly row: number;
  readonly column: number;
  readonly firstSlice: number;
  readonly lastSlice: number;
}

/** A mask as `.nii.gz` on the very voxels of its input: the same header, with 8-bit values: label maps of axial slices. */
export function niftiMask(header: NiftiHeader, masks: readonly Uint8Array[], grid: readonly [number, number, number]): Uint8Array<ArrayBuffer> {
  const two = header.bytes.length === 540;
  const start = two ? 544 : 352;
  const [x, y, z] = header.shape;
  const out = new Uint8Array(start + x * y * z);
  out.set(header.bytes);
  clear(new DataView(out.buffer), header, two);
  const strides = [1, x, x * y];
  const along = (place: number, number: number): number => (header.view.flips[place] ? grid[place] - 1 - number : number) * strides[header.view.axes[place]];
  for (let slice = 0; slice < grid[0]; slice++) {
    for (let row = 0; row < grid[1]; row++) {
      const at = start + along(0, slice) + along(1, row);
      for (let column = 0; column < grid[2]; column++) out[at + along(2, column)] = masks[slice][row * grid[2] + column];
    }
  }
  return new Uint8Array(gzipSync(out, { mtime: 0 }));
}

/** Leaves of a header what says where the voxels are, and no text, scale or name of a person. */
function clear(view: DataView, { little }: NiftiHeader, two: boolean): void {
  const bytes = new Uint8Array(view.buffer);
  const note = new TextEncoder().encode(NOTE);
  if (two) {
    view.setInt16(12, 2, little);
    view.setInt16(14, 8, little);
    view.setBigInt64(16, 3n, little);
    for (let k = 4; k <= 7; k++) view.setBigInt64(16 + 8 * k, 1n, little);
    view.setBigInt64(168, 544n, little);
    bytes.fill(0, 176, 240);
    bytes.fill(0, 240, 344).set(note, 240);
    view.setInt32(504, 0, little);
    bytes.fill(0, 508, 524);
    return;
  }
  bytes.fill(0, 4, 40);
  view.setInt16(40, 3, little);
  for (let k = 4; k <= 7; k++) view.setInt16(40 + 2 * k, 1, little);
  bytes.fill(0, 56, 70);
  view.setInt16(70, 2, little);
  view.setInt16(72, 8, little);
  view.setFloat32(108, 352, little);
  bytes.fill(0, 112, 120);
  bytes.fill(0, 124, 148);
  bytes.fill(0, 148, 252).set(note, 148);
  bytes.fill(0, 328, 344).set(new TextEncoder().encode("n+1"), 344);
}

/** Label maps as a zip of one PNG per slice, `<slice>_mask.png`: 0 and 255 of one mask, else labels in the colours of their classes. */
export function pngMasks(names: readonly string[], shapes: readonly (readonly [number, number])[], maps: readonly Uint8Array[], masks: readonly Mask[], disclaimer: string): Uint8Array<ArrayBuffer> {
  const palette = masks.length > 1 ? paletteOf(masks) : null;
  const files = Object.fromEntries(maps.map((map, at) => [`${names[at]}_mask.png`, encodePng(...shapes[at], 1, palette ? map : map.map((value) => value * 255), disclaimer, palette)]));
  return new Uint8Array(zipSync(files, { level: 0, mtime: new Date(1980, 1, 1) }));
}

function paletteOf(masks: readonly Mask[]): Uint8Array {
  const palette = new Uint8Array(256 * 3);
  for (const { label, colour } of masks) palette.set(colour, label * 3);
  return palette;
}

/** Rows as CSV (RFC 4180); text that a spreadsheet would run as a formula gets an apostrophe before it. */
export function csv(rows: readonly (readonly (string | number | null)[])[]): string {
  const cell = (value: string | number | null): string => {
    if (value === null) return "";
    const text = typeof value === "string" && /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

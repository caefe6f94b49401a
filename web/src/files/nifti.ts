import { gunzipSync } from "fflate";
import { UserError } from "../core/errors";
import { commonView, type Affine, type Grid, type View } from "./grid";
import type { Sequence } from "./sequence";

const MAX_BYTES = 1.5e9;
const MM: Record<number, number> = { 0: 1, 1: 1000, 2: 1, 3: 1e-3 };
type Reader = (view: DataView, at: number, little: boolean) => number;
const KINDS: Record<number, readonly [number, Reader]> = {
  2: [1, (view, at) => view.getUint8(at)],
  4: [2, (view, at, little) => view.getInt16(at, little)],
  8: [4, (view, at, little) => view.getInt32(at, little)],
  16: [4, (view, at, little) => view.getFloat32(at, little)],
  64: [8, (view, at, little) => view.getFloat64(at, little)],
  256: [1, (view, at) => view.getInt8(at)],
  512: [2, (view, at, little) => view.getUint16(at, little)],
  768: [4, (view, at, little) => view.getUint32(at, little)],
};

/** What a mask needs to lie on its input's voxels: the header as it is stored, and the view that was taken. */
export interface NiftiHeader {
  readonly shape: readonly [number, number, number];
  readonly view: View;
  readonly bytes: Uint8Array;
  readonly little: boolean;
}

/** Whether a name is that of a NIfTI file. */
export function isNifti(name: string): boolean {
  return /\.nii(\.gz)?$/i.test(name);
}

/** A file's name without folders and `.nii` or `.nii.gz`. */
export function stem(name: string): string {
  return name.replace(/^.*\//, "").replace(/\.nii(\.gz)?$/i, "") || "volume";
}

/** Opens a NIfTI file, packed or not: one sequence for 3-D, one per volume for 4-D. */
export function openNifti(name: string, packed: Uint8Array): (Sequence & { readonly header: NiftiHeader })[] {
  const bytes = unpacked(name, packed);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = [348, 540].includes(bytes.length >= 4 ? view.getInt32(0, true) : 0);
  const head = bytes.length >= 4 ? view.getInt32(0, little) : 0;
  if ((head !== 348 && head !== 540) || bytes.length < head) throw new UserError(`${name} is no NIfTI file, whatever its name says. Convert it to NIfTI, for instance with dcm2niix.`);
  const found = head === 348 ? readOne(view, little) : readTwo(view, little);
  const [x, y, z] = found.dim;
  const count = found.rank === 4 ? found.dim[3] : 1;
  if (found.rank !== 3 && found.rank !== 4) throw new UserError(`${name} holds ${found.dim.join(" x ")} values, which is no volume. A file of three axes is needed, or of four for several volumes.`);
  const kind = KINDS[found.type];
  if (kind === undefined) throw new UserError(`${name} holds values of a kind (${found.type}) that are no grey values. Save it with whole numbers or decimal numbers.`);
  const size = x * y * z * kind[0];
  if (!(size > 0) || found.offset + size * count > bytes.length) throw new UserError(`${name} is cut short. Copy it again from where it came from.`);
  const { affine, assumed, warnings } = affineOf(found);
  const [grid, seen] = commonView([x, y, z], affine, name);
  const header: NiftiHeader = { shape: [x, y, z], view: seen, bytes: bytes.slice(0, head), little };
  const scaled = found.slope !== 0 && Number.isFinite(found.slope) && Number.isFinite(found.inter) && (found.slope !== 1 || found.inter !== 0);
  return Array.from({ length: count }, (_, number) => ({
    name: count === 1 ? stem(name) : `${stem(name)}, volume ${number + 1}`,
    grid,
    shape: grid.shape,
    header,
    assumed,
    isBytes: found.type === 2 && !scaled,
    warnings,
    plane: (index: number) => readPlane(view, little, found.offset + number * size, kind, [x, y, z], seen, grid, index, scaled ? [found.slope, found.inter] : null),
  }));
}

function unpacked(name: string, packed: Uint8Array): Uint8Array {
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return packed;
  const size = new DataView(packed.buffer, packed.byteOffset + packed.length - 4, 4).getUint32(0, true);
  if (size > MAX_BYTES) throw new UserError(`${name} is ${(size / 1e9).toFixed(1)} GB when unpacked, too much for a browser. Take it on a computer with edgeseg.`);
  try {
    const bytes = gunzipSync(packed, { out: new Uint8Array(size) });
    if (bytes.length === size) return bytes;
  } catch {
    // said below
  }
  throw new UserError(`${name} is cut short or damaged. Copy it again from where it came from.`);
}

interface Found {
  rank: number;
  dim: number[];
  type: number;
  pixdim: number[];
  offset: number;
  slope: number;
  inter: number;
  unit: number;
  qformCode: number;
  sformCode: number;
  quatern: number[];
  origin: number[];
  rows: number[][];
}

function readOne(view: DataView, little: boolean): Found {
  const short = (at: number): number => view.getInt16(at, little);
  const float = (at: number): number => view.getFloat32(at, little);
  return layOut(short(40), (k) => short(42 + 2 * k), short(70), (k) => float(76 + 4 * k), float(108), float(112), float(116), view.getUint8(123), short(252), short(254), (k) => float(256 + 4 * k), (k) => float(280 + 4 * k));
}

function readTwo(view: DataView, little: boolean): Found {
  const long = (at: number): number => Number(view.getBigInt64(at, little));
  const double = (at: number): number => view.getFloat64(at, little);
  return layOut(long(16), (k) => long(24 + 8 * k), view.getInt16(12, little), (k) => double(104 + 8 * k), long(168), double(176), double(184), view.getInt32(500, little), view.getInt32(344, little), view.getInt32(348, little), (k) => double(352 + 8 * k), (k) => double(400 + 8 * k));
}

function layOut(
  rank: number, dim: (k: number) => number, type: number, pixdim: (k: number) => number, offset: number, slope: number, inter: number,
  units: number, qformCode: number, sformCode: number, quatern: (k: number) => number, row: (k: number) => number,
): Found {
  const upTo = (count: number, value: (k: number) => number): number[] => Array.from({ length: count }, (_, k) => value(k));
  return {
    rank: rank > 3 && upTo(rank - 3, (k) => dim(3 + k)).every((size) => size === 1) ? 3 : rank,
    dim: upTo(Math.max(0, Math.min(7, rank)), dim),
    type, pixdim: upTo(4, pixdim), offset, slope, inter, unit: units & 7, qformCode, sformCode,
    quatern: upTo(3, quatern), origin: upTo(3, (k) => quatern(3 + k)),
    rows: [0, 1, 2].map((line) => upTo(4, (k) => row(4 * line + k))),
  };
}

/** Index to RAS mm by sform, else by qform, else by the sizes of voxels alone, as nibabel has them; LPS is given back. */
function affineOf(found: Found): { affine: Affine; assumed: boolean; warnings: string[] } {
  const scale = MM[found.unit] ?? 1;
  const warnings: string[] = [];
  const assumed = found.sformCode <= 0 && found.qformCode <= 0;
  let rows = found.rows;
  if (found.sformCode <= 0) {
    rows = found.qformCode > 0 ? byQuaternion(found) : bySizes(found);
    if (assumed) warnings.push("The file holds no orientation: left, right, head and feet are assumed, not known.");
    if (found.pixdim.slice(1, 4).some((size) => !(Math.abs(size) > 0))) warnings.push("The file gives no size of voxels: 1 mm was taken, so volumes are not known.");
  }
  const signs = [-scale, -scale, scale];
  return { affine: rows.map((row, line) => row.map((value) => value * signs[line])), assumed, warnings };
}

function byQuaternion({ quatern: [b, c, d], origin, pixdim }: Found): number[][] {
  const a = Math.sqrt(Math.max(0, 1 - (b * b + c * c + d * d)));
  const rotation = [
    [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
    [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
    [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
  ];
  const sizes = [pixdim[1], pixdim[2], pixdim[3] * (pixdim[0] < 0 ? -1 : 1)].map((size) => size || 1);
  return rotation.map((row, line) => [...row.map((value, column) => value * sizes[column]), origin[line]]);
}

function bySizes({ dim, pixdim }: Found): number[][] {
  const sizes = [-Math.abs(pixdim[1] || 1), Math.abs(pixdim[2] || 1), Math.abs(pixdim[3] || 1)];
  return sizes.map((size, line) => [0, 1, 2].map((column) => (line === column ? size : 0)).concat(-((dim[line] - 1) / 2) * size));
}

function readPlane(
  view: DataView, little: boolean, start: number, [bytes, read]: readonly [number, Reader], shape: readonly number[], seen: View, grid: Grid,
  index: number, scale: readonly [number, number] | null,
): Float64Array {
  const strides = [1, shape[0], shape[0] * shape[1]];
  const [, rows, columns] = grid.shape;
  const along = (place: number, number: number, count: number): number => (seen.flips[place] ? count - 1 - number : number) * strides[seen.axes[place]];
  const from = along(0, index, grid.shape[0]);
  const plane = new Float64Array(rows * columns);
  for (let y = 0; y < rows; y++) {
    const row = from + along(1, y, rows);
    for (let x = 0; x < columns; x++) {
      const value = read(view, start + (row + along(2, x, columns)) * bytes, little);
      plane[y * columns + x] = scale === null ? value : value * scale[0] + scale[1];
    }
  }
  return plane;
}

/** Where voxels are shown: (column, row, slice) to RAS mm. */
export type ToMm = readonly (readonly number[])[];

const HEADER = 352;

/**
 * Where slices lie that do not say so: 1 mm pixels, rows from front to back, columns from the patient's right to the
 * left, and slices as far apart as makes a head of usual height.
 */
export function assumedPlace(shape: readonly [number, number, number]): ToMm {
  const apart = Math.max(1, (0.62 * shape[1]) / shape[0]);
  return [[-1, 0, 0, shape[2] / 2], [0, -1, 0, shape[1] / 2], [0, 0, apart, (-apart * shape[0]) / 2]];
}

/** A NIfTI file in memory for the viewer: bytes, slices from feet to head. */
export function viewerNifti(values: Uint8Array, shape: readonly [number, number, number], toMm: ToMm): ArrayBuffer {
  const buffer = new ArrayBuffer(HEADER + values.length);
  const view = new DataView(buffer);
  view.setInt32(0, 348, true);
  for (const [at, size] of [3, shape[2], shape[1], shape[0], 1, 1, 1, 1].entries()) view.setInt16(40 + 2 * at, size, true);
  view.setInt16(70, 2, true);
  view.setInt16(72, 8, true);
  for (const [at, size] of [1, ...[0, 1, 2].map((k) => Math.hypot(toMm[0][k], toMm[1][k], toMm[2][k]))].entries()) view.setFloat32(76 + 4 * at, size, true);
  view.setFloat32(108, HEADER, true);
  view.setFloat32(112, 1, true);
  view.setUint8(123, 2);
  view.setInt16(254, 1, true);
  for (const [line, row] of toMm.entries()) for (const [k, value] of row.entries()) view.setFloat32(280 + 16 * line + 4 * k, value, true);
  new Uint8Array(buffer).set(new TextEncoder().encode("n+1"), 344);
  new Uint8Array(buffer).set(values, HEADER);
  return buffer;
}

/** Voxel (column, row, slice) to mm. */
export function toMm(place: ToMm, voxel: readonly number[]): [number, number, number] {
  const [x, y, z] = place.map((row) => row[0] * voxel[0] + row[1] * voxel[1] + row[2] * voxel[2] + row[3]);
  return [x, y, z];
}

/** Mm to the nearest voxel, as Cramer has it. */
export function toVoxel(place: ToMm, mm: readonly number[]): [number, number, number] {
  const [a, b, c] = [0, 1, 2].map((k) => [place[0][k], place[1][k], place[2][k]]);
  const d = mm.slice(0, 3).map((value, line) => value - place[line][3]);
  const det = (u: number[], v: number[], w: number[]): number => u[0] * (v[1] * w[2] - v[2] * w[1]) - v[0] * (u[1] * w[2] - u[2] * w[1]) + w[0] * (u[1] * v[2] - u[2] * v[1]);
  const whole = det(a, b, c);
  return [Math.round(det(d, b, c) / whole), Math.round(det(a, d, c) / whole), Math.round(det(a, b, d) / whole)];
}

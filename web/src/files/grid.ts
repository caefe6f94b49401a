import { UserError } from "../core/errors";

/** Three rows of four numbers: index to mm. */
export type Affine = readonly (readonly number[])[];

/** A grid of voxels: slices, rows, columns; `affine` takes (slice, row, column, 1) to LPS mm of the voxel's centre. */
export interface Grid {
  readonly shape: readonly [number, number, number];
  readonly affine: Affine;
}

/** How a stored array is seen in the common orientation: for slices, rows and columns the stored axis, and whether backwards. */
export interface View {
  readonly axes: readonly [number, number, number];
  readonly flips: readonly [boolean, boolean, boolean];
}

const MAX_TILT_DEG = 30;
const MAX_PIXEL_MM = 3;
const MAX_SHEAR = 0.01;
const SAME_SHARE = 0.1;
const PROBES = 12;

/** The length of each column: distances between the centres of slices, rows and columns in mm. */
export function spacing(affine: Affine): [number, number, number] {
  const side = (k: number): number => Math.hypot(affine[0][k], affine[1][k], affine[2][k]);
  return [side(0), side(1), side(2)];
}

/** Finds the view of a stored volume as axial slices from feet to head, rows from front to back, columns from the right to the left. */
export function commonView(shape: readonly [number, number, number], affine: Affine, name: string): [Grid, View] {
  const sides = spacing(affine);
  if (!affine.flat().every(Number.isFinite) || sides.some((side) => side < 1e-6)) throw new UserError(`${name}: its voxels have no size. Export it again.`);
  const cosines = affine.map((row) => [0, 1, 2].map((k) => row[k] / sides[k]));
  for (const [a, b] of [[0, 1], [0, 2], [1, 2]]) {
    if (Math.abs(cosines.reduce((sum, row) => sum + row[a] * row[b], 0)) > MAX_SHEAR) throw new UserError(`${name}: its axes are not at right angles. Resample it to a plain grid first.`);
  }
  const most = (row: number[]): number => row.reduce((best, value, at) => (Math.abs(value) > Math.abs(row[best]) ? at : best), 0);
  const axes = [most(cosines[2]), most(cosines[1]), most(cosines[0])] as const;
  const along = [cosines[2][axes[0]], cosines[1][axes[1]], cosines[0][axes[2]]];
  const tilt = Math.max(...along.map((value) => (Math.acos(Math.min(1, Math.abs(value))) * 180) / Math.PI));
  if (new Set(axes).size < 3 || tilt > MAX_TILT_DEG) {
    throw new UserError(`${name}: the volume is oblique by ${tilt.toFixed(0)} degrees, and at most ${MAX_TILT_DEG} are taken. Resample it to axial slices first.`);
  }
  const view: View = { axes, flips: [along[0] < 0, along[1] < 0, along[2] < 0] };
  const seen = affine.map((row) => {
    const origin = axes.reduce((sum, axis, place) => (view.flips[place] ? sum + (shape[axis] - 1) * row[axis] : sum), row[3]);
    return [...axes.map((axis, place) => (view.flips[place] ? -row[axis] : row[axis])), origin];
  });
  const grid: Grid = { shape: [shape[axes[0]], shape[axes[1]], shape[axes[2]]], affine: seen };
  const [, rows, columns] = spacing(seen);
  if (Math.max(rows, columns) > MAX_PIXEL_MM) {
    throw new UserError(`${name}: seen as axial slices its pixels are ${rows.toFixed(1)} x ${columns.toFixed(1)} mm, and at most ${MAX_PIXEL_MM} mm are taken. A sagittal or coronal series with thick slices cannot be used.`);
  }
  return [grid, view];
}

/** Whether every voxel lies within a tenth of a pixel of the same voxel of another grid. */
export function sameGrid(one: Grid, other: Grid): boolean {
  if (one.shape.join() !== other.shape.join()) return false;
  const ends = one.shape.map((size) => [0, size - 1]);
  const least = SAME_SHARE * Math.min(...spacing(one.affine));
  return ends[0].every((s) => ends[1].every((r) => ends[2].every((c) => {
    const apart = one.affine.map((row, line) => [s, r, c, 1].reduce((sum, value, k) => sum + value * (row[k] - other.affine[line][k]), 0));
    return Math.hypot(...apart) <= least;
  })));
}

/** The affine from one grid's index to another's: `moving` solved for `fixed`. */
export function between(moving: Affine, fixed: Affine): number[][] {
  const rows = moving.map((row, line) => [...row.slice(0, 3), ...fixed[line].slice(0, 3), fixed[line][3] - row[3]]);
  for (let k = 0; k < 3; k++) {
    const pivot = [k, k + 1, k + 2].filter((at) => at < 3).reduce((best, at) => (Math.abs(rows[at][k]) > Math.abs(rows[best][k]) ? at : best), k);
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let line = k + 1; line < 3; line++) {
      const times = rows[line][k] / rows[k][k];
      for (let at = k; at < 7; at++) rows[line][at] -= times * rows[k][at];
    }
  }
  for (let k = 2; k >= 0; k--) {
    for (let at = 3; at < 7; at++) {
      for (let line = k + 1; line < 3; line++) rows[k][at] -= rows[k][line] * rows[line][at];
      rows[k][at] /= rows[k][k];
    }
  }
  return rows.map((row) => row.slice(3));
}

/** Which share of `fixed` lies inside `moving`, from 12 points along each axis. */
export function coveredShare(moving: Grid, fixed: Grid): number {
  const step = between(moving.affine, fixed.affine);
  const along = fixed.shape.map((size) => Array.from({ length: PROBES }, (_, k) => (k * (size - 1)) / (PROBES - 1)));
  let inside = 0;
  for (const s of along[0]) for (const r of along[1]) for (const c of along[2]) {
    const at = step.map((row) => row[0] * s + row[1] * r + row[2] * c + row[3]);
    if (isInside(at, moving.shape)) inside++;
  }
  return inside / PROBES ** 3;
}

/** Whether a point in voxels lies in a grid, its outermost voxels whole. */
export function isInside(at: readonly number[], shape: readonly number[]): boolean {
  return at.every((value, axis) => value >= -0.5 - 1e-6 && value <= shape[axis] - 0.5 + 1e-6);
}

import { between, isInside, type Grid } from "./grid";
import type { NiftiHeader } from "./nifti";

/** One sequence of one patient, read slice by slice; `plane` gives `h * w` values in the file's own unit. */
export interface Sequence {
  readonly name: string;
  readonly shape: readonly [number, number, number];
  readonly grid: Grid | null;
  readonly isBytes: boolean;
  readonly warnings: readonly string[];
  readonly header?: NiftiHeader;
  /** Left, right, head and feet are assumed: its file does not say. */
  readonly assumed?: boolean;
  plane(index: number): Float64Array;
}

/** A plane, and where the sequence reaches: null for everywhere. */
export interface Sampled {
  readonly plane: Float64Array;
  readonly inside: Uint8Array | null;
}

/**
 * Samples a sequence where slice `index` of another grid lies, by trilinear interpolation in the order of sums of
 * `edgeseg/data/sequence.py`; `planes` gives the sequence's slices.
 */
export function planeOnGrid(shape: readonly number[], own: Grid, planes: (index: number) => Float64Array, fixed: Grid, index: number): Sampled {
  const step = between(own.affine, fixed.affine);
  const [, height, width] = fixed.shape;
  const plane = new Float64Array(height * width);
  const inside = new Uint8Array(height * width);
  const stack = new Map<number, Float64Array>();
  const slice = (number: number): Float64Array => {
    const found = stack.get(number) ?? planes(number);
    stack.set(number, found);
    return found;
  };
  const [low, part, high] = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const seen = step.map((row) => row[0] * index + row[1] * y + row[2] * x + row[3]);
      if (isInside(seen, shape)) inside[y * width + x] = 1;
      for (let axis = 0; axis < 3; axis++) {
        const clipped = Math.min(Math.max(seen[axis], 0), shape[axis] - 1);
        low[axis] = Math.min(Math.floor(clipped), Math.max(shape[axis] - 2, 0));
        part[axis] = clipped - low[axis];
        high[axis] = Math.min(low[axis] + 1, shape[axis] - 1);
      }
      let total = 0;
      for (let corner = 0; corner < 8; corner++) {
        let weight = 1;
        for (let axis = 0; axis < 3; axis++) weight *= (corner >> axis) & 1 ? part[axis] : 1 - part[axis];
        if (!(weight > 0)) continue;
        const at = (axis: number): number => ((corner >> axis) & 1 ? high : low)[axis];
        total += slice(at(0))[at(1) * shape[2] + at(2)] * weight;
      }
      plane[y * width + x] = total;
    }
  }
  return { plane, inside };
}

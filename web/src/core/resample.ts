const FIXED_BITS = 22;

/** The weights of one axis: output `i` is the sum of `count[i]` inputs from `first[i]` on. */
class Kernel {
  readonly #first: Int32Array;
  readonly #count: Int32Array;
  readonly #real: Float64Array;
  readonly #fixed: Int32Array;
  readonly #size: number;

  constructor(from: number, to: number) {
    const scale = from / to;
    const stretch = Math.max(scale, 1);
    this.#size = Math.ceil(stretch) * 2 + 1;
    this.#first = new Int32Array(to);
    this.#count = new Int32Array(to);
    this.#real = new Float64Array(to * this.#size);
    this.#fixed = new Int32Array(to * this.#size);
    const inverse = 1 / stretch;
    for (let i = 0; i < to; i++) {
      const centre = (i + 0.5) * scale;
      const first = Math.max(Math.trunc(centre - stretch + 0.5), 0);
      const count = Math.min(Math.trunc(centre + stretch + 0.5), from) - first;
      let sum = 0;
      for (let k = 0; k < count; k++) {
        const distance = Math.abs((k + first - centre + 0.5) * inverse);
        const weight = distance < 1 ? 1 - distance : 0;
        this.#real[i * this.#size + k] = weight;
        sum += weight;
      }
      for (let k = i * this.#size; k < i * this.#size + count; k++) {
        if (sum !== 0) this.#real[k] /= sum;
        this.#fixed[k] = Math.trunc(0.5 + this.#real[k] * (1 << FIXED_BITS));
      }
      this.#first[i] = first;
      this.#count[i] = count;
    }
  }

  byte(values: Uint8Array, start: number, step: number, i: number): number {
    let sum = 1 << (FIXED_BITS - 1);
    let at = start + this.#first[i] * step;
    const end = i * this.#size + this.#count[i];
    for (let k = i * this.#size; k < end; k++, at += step) sum += values[at] * this.#fixed[k];
    return Math.min(255, Math.max(0, sum >> FIXED_BITS));
  }

  float(values: Float32Array, start: number, step: number, i: number): number {
    let sum = 0;
    let at = start + this.#first[i] * step;
    const end = i * this.#size + this.#count[i];
    for (let k = i * this.#size; k < end; k++, at += step) sum += values[at] * this.#real[k];
    return sum;
  }
}

/**
 * Bilinear resampling of planes, antialiased when it shrinks, as Pillow does it: the same coefficients, for bytes in
 * 22-bit fixed point with a rounded pass per axis, for floats summed in double and stored as float after each pass. The
 * results equal Pillow's bit for bit, and with them those of `edgeseg/imaging/grid.py`.
 */
export class Resampler {
  readonly #columns: Kernel | null;
  readonly #rows: Kernel | null;

  constructor(
    readonly from: readonly [number, number],
    readonly to: readonly [number, number],
  ) {
    this.#rows = from[0] === to[0] ? null : new Kernel(from[0], to[0]);
    this.#columns = from[1] === to[1] ? null : new Kernel(from[1], to[1]);
  }

  bytes(plane: Uint8Array): Uint8Array {
    return this.#both(plane, (size) => new Uint8Array(size), (kernel, values, start, step, i) => kernel.byte(values, start, step, i));
  }

  floats(plane: Float32Array): Float32Array {
    return this.#both(plane, (size) => new Float32Array(size), (kernel, values, start, step, i) => kernel.float(values, start, step, i));
  }

  #both<T extends Uint8Array | Float32Array>(
    plane: T,
    make: (size: number) => T,
    value: (kernel: Kernel, values: T, start: number, step: number, i: number) => number,
  ): T {
    const [height, width] = this.to;
    let from = plane;
    if (this.#columns !== null) {
      const [rows, wide] = this.from;
      const across = make(rows * width);
      for (let y = 0; y < rows; y++) for (let x = 0; x < width; x++) across[y * width + x] = value(this.#columns, from, y * wide, 1, x);
      from = across;
    }
    if (this.#rows !== null) {
      const down = make(height * width);
      for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) down[y * width + x] = value(this.#rows, from, x, width, y);
      from = down;
    }
    return from;
  }
}

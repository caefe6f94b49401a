import { applies, type PostProcessing } from "./contract";

/**
 * The connected components of masks as runs of tumour pixels along rows: those of a lone slice by 8 neighbours, those of
 * a volume by 26. Slices are added one after another, and only their runs are kept (`edgeseg/components.py`).
 */
export class Components {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #parent: number[] = [];
  /** Where the runs of each row begin; row `slice * height + y`. */
  readonly #rows: number[] = [0];
  #owner: Int32Array = new Int32Array(0);
  #slices = 0;

  constructor(
    readonly height: number,
    readonly width: number,
  ) {}

  /** Adds the next slice, `height * width` of 0 and 1. */
  add(mask: Uint8Array): void {
    for (let y = 0; y < this.height; y++) {
      const from = y * this.width;
      for (let x = 0; x < this.width; x++) {
        if (!mask[from + x]) continue;
        const start = x;
        while (x < this.width && mask[from + x]) x++;
        this.#parent.push(this.#starts.length);
        this.#starts.push(start);
        this.#ends.push(x);
      }
      this.#rows.push(this.#starts.length);
      const row = this.#slices * this.height + y;
      if (y > 0) this.#touch(row, row - 1);
      if (this.#slices === 0) continue;
      for (let dy = -1; dy <= 1; dy++) if (y + dy >= 0 && y + dy < this.height) this.#touch(row, row - this.height + dy);
    }
    this.#slices++;
  }

  /** The size in pixels of each component, in the order of their first pixels. */
  sizes(): number[] {
    const sizes: number[] = [];
    const number = new Map<number, number>();
    this.#owner = Int32Array.from(this.#parent, (_, run) => {
      const root = this.#root(run);
      const owner = number.get(root) ?? sizes.push(0) - 1;
      number.set(root, owner);
      sizes[owner] += this.#ends[run] - this.#starts[run];
      return owner;
    });
    return sizes;
  }

  /** Calls `each` with the owner and the pixels, from `first` to before `last`, of every run of a slice; after `sizes`. */
  runs(slice: number, each: (owner: number, first: number, last: number) => void): void {
    for (let y = 0; y < this.height; y++) {
      const row = slice * this.height + y;
      for (let run = this.#rows[row]; run < this.#rows[row + 1]; run++) {
        each(this.#owner[run], y * this.width + this.#starts[run], y * this.width + this.#ends[run]);
      }
    }
  }

  #touch(row: number, other: number): void {
    let at = this.#rows[other];
    const end = this.#rows[other + 1];
    for (let run = this.#rows[row]; run < this.#rows[row + 1]; run++) {
      while (at < end && this.#ends[at] < this.#starts[run]) at++;
      for (let one = at; one < end && this.#starts[one] <= this.#ends[run]; one++) this.#join(run, one);
    }
  }

  #join(a: number, b: number): void {
    const [one, other] = [this.#root(a), this.#root(b)];
    if (one < other) this.#parent[other] = one;
    else this.#parent[one] = other;
  }

  #root(node: number): number {
    while (this.#parent[node] !== node) {
      this.#parent[node] = this.#parent[this.#parent[node]];
      node = this.#parent[node];
    }
    return node;
  }
}

/** Says which components stay. */
export function largeEnough(sizes: number[], rules: PostProcessing, volume: boolean): boolean[] {
  if (!applies(rules, volume)) return sizes.map(() => true);
  if (!volume) return sizes.map((size) => size >= rules.min_area_px);
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  return sizes.map((size) => size >= rules.min_volume_px && size >= rules.min_share * largest);
}

/** A table of a flatbuffer; its fields go by their numbers in the schema. Reading throws a `RangeError` where an offset leads out of the file. */
export class Table {
  private constructor(
    private readonly view: DataView,
    private readonly at: number,
  ) {}

  /** The table that a file begins with. */
  static root(file: Uint8Array): Table {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    return new Table(view, view.getUint32(0, true));
  }

  /** A whole number of 32 bits; 0 where the file has none. */
  number(field: number): number {
    const at = this.#place(field);
    return at === null ? 0 : this.view.getInt32(at, true);
  }

  /** A whole number of 8 bits; 0 where the file has none. */
  byte(field: number): number {
    const at = this.#place(field);
    return at === null ? 0 : this.view.getInt8(at);
  }

  text(field: number): string {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.bytes(field));
  }

  bytes(field: number): Uint8Array {
    const [at, count] = this.#list(field, 1);
    return new Uint8Array(this.view.buffer, this.view.byteOffset + at, count);
  }

  numbers(field: number): number[] {
    return this.#each(field, 4, (at) => this.view.getInt32(at, true));
  }

  floats(field: number): number[] {
    return this.#each(field, 4, (at) => this.view.getFloat32(at, true));
  }

  /** Whole numbers of 64 bits. */
  longs(field: number): number[] {
    return this.#each(field, 8, (at) => Number(this.view.getBigInt64(at, true)));
  }

  table(field: number): Table | null {
    const at = this.#place(field);
    return at === null ? null : this.#behind(at);
  }

  tables(field: number): Table[] {
    return this.#each(field, 4, (at) => this.#behind(at));
  }

  #behind(at: number): Table {
    return new Table(this.view, at + this.view.getUint32(at, true));
  }

  /** Where a field stands; null where the file leaves it out. */
  #place(field: number): number | null {
    const fields = this.at - this.view.getInt32(this.at, true);
    const entry = 4 + 2 * field;
    const offset = entry < this.view.getUint16(fields, true) ? this.view.getUint16(fields + entry, true) : 0;
    return offset === 0 ? null : this.at + offset;
  }

  /** Where a list begins and how long it is; it has to end within the file. */
  #list(field: number, width: number): [number, number] {
    const place = this.#place(field);
    if (place === null) return [0, 0];
    const start = place + this.view.getUint32(place, true);
    const count = this.view.getUint32(start, true);
    if (start + 4 + count * width > this.view.byteLength) throw new RangeError("a list reaches beyond the file");
    return [start + 4, count];
  }

  #each<T>(field: number, width: number, read: (at: number) => T): T[] {
    const [start, count] = this.#list(field, width);
    return Array.from({ length: count }, (_, index) => read(start + index * width));
  }
}

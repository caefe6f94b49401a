import type { Contract, Layout } from "../core/contract";
import { UserError } from "../core/errors";

/** The sizes of both ends of a network, as its contract has them. */
export function dimsOf(contract: Contract): { readonly input: readonly number[]; readonly output: readonly number[] } {
  const { height, width, layout, output_layout, channels, classes } = contract;
  const dims = (order: Layout, count: number): number[] => (order === "NCHW" ? [1, count, height, width] : [1, height, width, count]);
  return { input: dims(layout, channels.length), output: dims(output_layout, classes.length || 1) };
}

/** Looks the bytes of planes up, a table for each channel, and puts them into `out` in a network's layout. */
export function lookUp<T extends Float32Array | Int8Array>(planes: Uint8Array, tables: readonly T[], layout: Layout, out: T): T {
  const grid = planes.length / tables.length;
  for (const [channel, table] of tables.entries()) {
    for (let at = 0; at < grid; at++) out[layout === "NCHW" ? channel * grid + at : at * tables.length + channel] = table[planes[channel * grid + at]];
  }
  return out;
}

/** `(q - zero) * scale` in float32. */
export function dequantised(codes: Int8Array | Uint8Array, scale: number, zero: number): Float32Array {
  const step = Math.fround(scale);
  const values = new Float32Array(codes.length);
  for (let at = 0; at < codes.length; at++) values[at] = (codes[at] - zero) * step;
  return values;
}

/** Refuses values that are no numbers. */
export function checkFinite(values: Float32Array): void {
  for (let at = 0; at < values.length; at++) {
    if (!Number.isFinite(values[at])) throw new UserError("The network gave values that are no numbers. Its file is damaged; it has to be put on the server again.");
  }
}

/** Refuses an end of other sizes than the contract's; a size may be left open, by a name or a number below 0. */
export function checkDims(which: "input" | "output", shape: readonly (number | string)[], wanted: readonly number[]): void {
  const fits = shape.length === wanted.length && shape.every((size, at) => typeof size !== "number" || size < 0 || size === wanted[at]);
  if (!fits) throw new UserError(`The network's ${which} has the size ${shape.join(" x ")}, and its contract says ${wanted.join(" x ")}. Another file has to be put on the server.`);
}

export function cannotOpen(error: unknown): UserError {
  return new UserError(`The network cannot be opened in this browser (${oneLine(error)}). Try a newer browser, or put the network on the server again.`);
}

export function failedRunning(error: unknown): UserError {
  return new UserError(`The network failed while running (${oneLine(error)}). Close other pages to free memory, and try again.`);
}

function oneLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n")[0].slice(0, 160);
}

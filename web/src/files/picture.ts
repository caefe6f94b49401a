import { UserError } from "../core/errors";

/** One decoded picture: three 8-bit channels, or one of 8 or 16 bits; rows from the top. */
export interface Picture {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly values: Uint8Array | Uint16Array;
}

/** The longest side of a picture that is taken; larger ones are no slices. */
export const MAX_SIDE = 4096;
const RULE = "A slice is a PNG or TIFF picture with three 8-bit channels, or with one grey channel of 8 or 16 bits.";

/** Refuses a picture that is no slice. */
export function refuse(name: string, found: string): never {
  throw new UserError(`${name} has ${found}. ${RULE}`);
}

/** Refuses sizes that no slice has. */
export function checkSize(name: string, height: number, width: number): void {
  if (!(height >= 1 && width >= 1 && height <= MAX_SIDE && width <= MAX_SIDE)) refuse(name, `${height} x ${width} pixels, and at most ${MAX_SIDE} on a side are taken`);
}

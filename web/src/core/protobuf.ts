/** A field of a message: its number, its bytes (null for a number), its value (null for bytes), and all of it as it stands. */
export interface Field {
  readonly number: number;
  readonly bytes: Uint8Array | null;
  readonly value: number | null;
  readonly raw: Uint8Array;
}

const VARINT = 0;
const BYTES = 2;
/** Bytes of the kinds of a fixed length. */
const FIXED: Record<number, number> = { 1: 8, 5: 4 };

/** The fields of one protobuf message, in order. Throws a `RangeError` where it is cut short; values beyond 2**53 are rounded. */
export function* fields(message: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    const [value, next] = varintAt(message, at);
    at = next;
    return value;
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    const [number, kind] = [Math.floor(tag / 8), tag % 8];
    if (kind === VARINT) {
      const value = varint();
      yield { number, bytes: null, value, raw: message.subarray(start, at) };
      continue;
    }
    const length = kind === BYTES ? varint() : (FIXED[kind] ?? -1);
    if (length < 0 || at + length > message.length) throw new RangeError("a field reaches beyond the file");
    const bytes = kind === BYTES ? message.subarray(at, at + length) : null;
    at += length;
    yield { number, bytes, value: null, raw: message.subarray(start, at) };
  }
}

/** The numbers of a packed list, as whole numbers of 32 bits with a sign. */
export function packed(bytes: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= bytes.length) throw new RangeError("the file ends inside a number");
      if (shift < 32) value |= (bytes[at] & 0x7f) << shift;
      if (bytes[at] < 0x80) break;
      at++;
    }
    found.push(value);
  }
  return found;
}

/** A field of bytes, or of text. */
export function bytesField(number: number, content: Uint8Array | string): Uint8Array {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return joined([Uint8Array.from([...varintOf(number * 8 + BYTES), ...varintOf(bytes.length)]), bytes]);
}

/** A field of a whole number from 0. */
export function numberField(number: number, value: number): Uint8Array {
  return Uint8Array.from([...varintOf(number * 8 + VARINT), ...varintOf(value)]);
}

/** Parts one after another. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function varintAt(message: Uint8Array, at: number): [number, number] {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (at >= message.length) throw new RangeError("the file ends inside a number");
    const byte = message[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
  throw new RangeError("a number is too long");
}

function varintOf(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) + 0x80);
  return [...bytes, value];
}

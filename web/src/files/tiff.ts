import { unzlibSync } from "fflate";
import { orDamaged } from "../core/errors";
import { checkSize, refuse, type Picture } from "./picture";

const [WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIPS, ORIENTATION, SAMPLES] = [256, 257, 258, 259, 262, 273, 274, 277];
const [STRIP_BYTES, PLANAR, PREDICTOR, TILE_WIDTH, SAMPLE_FORMAT] = [279, 284, 317, 322, 339];
const [PLAIN, LZW, DEFLATE, OLD_DEFLATE, PACK_BITS] = [1, 5, 8, 32946, 32773];

/** Whether bytes begin as a TIFF file does. */
export function isTiff(bytes: Uint8Array): boolean {
  const order = bytes[0] === bytes[1] ? String.fromCharCode(bytes[0]) : "";
  return bytes.length > 8 && ((order === "I" && bytes[2] === 42 && bytes[3] === 0) || (order === "M" && bytes[2] === 0 && bytes[3] === 42));
}

/** Decodes a TIFF file of one picture in strips, plain or packed by LZW, Deflate or PackBits (TIFF 6.0). */
export function decodeTiff(name: string, bytes: Uint8Array): Picture {
  return orDamaged(name, () => {
    const little = bytes[0] === 0x49;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { tags, more } = readTags(view, little);
    const one = (tag: number, otherwise: number): number => tags.get(tag)?.[0] ?? otherwise;
    const [width, height, channels, bits] = [one(WIDTH, 0), one(HEIGHT, 0), one(SAMPLES, 1), Math.max(...(tags.get(BITS) ?? [1]))];
    checkSize(name, height, width);
    if (more) refuse(name, "several pictures");
    if (channels !== 1 && channels !== 3) refuse(name, `${channels} channels`);
    if (bits !== 8 && !(bits === 16 && channels === 1)) refuse(name, `${channels} channel(s) of ${bits} bits`);
    if (one(SAMPLE_FORMAT, 1) !== 1) refuse(name, "values that are no whole numbers from 0 on");
    if (one(PLANAR, 1) !== 1 || tags.has(TILE_WIDTH)) refuse(name, "separate planes or tiles");
    if (one(ORIENTATION, 1) > 1) refuse(name, "a mark that it is to be turned");
    if (one(PHOTOMETRIC, channels === 3 ? 2 : 1) !== (channels === 3 ? 2 : 1)) refuse(name, "a palette, or black and white exchanged");
    const row = (width * channels * bits) / 8;
    const data = unpack(bytes, tags, one(COMPRESSION, PLAIN), height * row, name);
    const values = bits === 8 ? data : words(data, little);
    const predictor = one(PREDICTOR, 1);
    if (predictor > 2) refuse(name, `predictor ${predictor}`);
    if (predictor === 2) for (let at = 0; at < values.length; at++) if (at % (width * channels) >= channels) values[at] += values[at - channels];
    return { name, height, width, channels, values };
  });
}

function readTags(view: DataView, little: boolean): { tags: Map<number, number[]>; more: boolean } {
  const start = view.getUint32(4, little);
  const count = view.getUint16(start, little);
  const tags = new Map<number, number[]>();
  for (let index = 0; index < count; index++) {
    const at = start + 2 + 12 * index;
    const [type, length] = [view.getUint16(at + 2, little), view.getUint32(at + 4, little)];
    const size = type === 3 ? 2 : type === 4 ? 4 : 0;
    if (size === 0 || length > view.byteLength) continue;
    const from = size * length <= 4 ? at + 8 : view.getUint32(at + 8, little);
    const read = (k: number): number => (size === 2 ? view.getUint16(from + 2 * k, little) : view.getUint32(from + 4 * k, little));
    tags.set(view.getUint16(at, little), Array.from({ length }, (_, k) => read(k)));
  }
  return { tags, more: view.getUint32(start + 2 + 12 * count, little) !== 0 };
}

function unpack(bytes: Uint8Array, tags: Map<number, number[]>, compression: number, size: number, name: string): Uint8Array {
  const out = new Uint8Array(size);
  const lengths = tags.get(STRIP_BYTES) ?? [];
  let at = 0;
  for (const [index, offset] of (tags.get(STRIPS) ?? []).entries()) {
    const strip = bytes.subarray(offset, offset + lengths[index]);
    if (strip.length !== lengths[index]) throw new RangeError("cut short");
    let part = strip;
    if (compression === DEFLATE || compression === OLD_DEFLATE) part = unzlibSync(strip, { out: new Uint8Array(size - at) });
    else if (compression === LZW) part = unpackLzw(strip, size - at);
    else if (compression === PACK_BITS) part = unpackBits(strip, size - at);
    else if (compression !== PLAIN) refuse(name, `compression ${compression}, and none, LZW, Deflate and PackBits are read`);
    out.set(part.subarray(0, size - at), at);
    at = Math.min(size, at + part.length);
  }
  if (at < size) throw new RangeError("too few pixels");
  return out;
}

function words(data: Uint8Array, little: boolean): Uint16Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Uint16Array.from({ length: data.length / 2 }, (_, at) => view.getUint16(2 * at, little));
}

function unpackBits(strip: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let to = 0;
  for (let at = 0; at < strip.length && to < size; ) {
    const count = strip[at++];
    if (count < 128) {
      const part = strip.subarray(at, at + count + 1).subarray(0, size - to);
      out.set(part, to);
      to += part.length;
      at += count + 1;
    } else if (count > 128) {
      out.fill(strip[at++], to, to + 257 - count);
      to += 257 - count;
    }
  }
  return out.subarray(0, Math.min(to, size));
}

/**
 * LZW as TIFF has it: most significant bit first, and codes that grow one entry early. What an entry stands for is in
 * the output already: the bytes of the code before it and one more.
 */
function unpackLzw(strip: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  const [starts, lengths] = [new Int32Array(4096), new Int32Array(4096)];
  let [to, next, bits, held, count] = [0, 258, 9, 0, 0];
  let before: { start: number; length: number } | null = null;
  for (const byte of strip) {
    held = ((held << 8) | byte) & 0xffffff;
    count += 8;
    if (count < bits) continue;
    count -= bits;
    const code = (held >> count) & ((1 << bits) - 1);
    if (code === 257 || to >= size) break;
    if (code === 256) {
      [next, bits, before] = [258, 9, null];
      continue;
    }
    if (before !== null && next < 4096) {
      starts[next] = before.start;
      lengths[next++] = before.length + 1;
    }
    if (code > 257 && code >= next) throw new RangeError("an unknown code");
    const here: { start: number; length: number } = { start: to, length: code < 256 ? 1 : lengths[code] };
    for (let k = 0; k < here.length && to < size; k++) out[to++] = code < 256 ? code : out[starts[code] + k];
    before = here;
    bits = next >= 2047 ? 12 : next >= 1023 ? 11 : next >= 511 ? 10 : 9;
  }
  return out.subarray(0, to);
}

import { unzlibSync, zlibSync } from "fflate";
import { orDamaged, UserError } from "../core/errors";
import { checkSize, refuse, type Picture } from "./picture";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const GREY = 0;
const RGB = 2;
const PALETTE = 3;

/** Whether bytes begin as a PNG file does. */
export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, at) => bytes[at] === byte);
}

/**
 * Decodes a PNG file by itself: a browser's own decoder would narrow 16 bits to 8 and may convert colours.
 * Takes RGB of 8 bits and grey of 8 or 16, not interlaced.
 */
export function decodePng(name: string, bytes: Uint8Array): Picture {
  return orDamaged(name, () => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [width, height, bits, colour, interlaced] = [view.getUint32(16), view.getUint32(20), bytes[24], bytes[25], bytes[28]];
    checkSize(name, height, width);
    if (colour !== GREY && colour !== RGB) refuse(name, colour === 3 ? "a palette of colours" : "a transparent channel");
    if (bits !== 8 && !(bits === 16 && colour === GREY)) refuse(name, `${colour === RGB ? 3 : 1} channel(s) of ${bits} bits`);
    if (interlaced) refuse(name, "interlaced rows");
    const channels = colour === RGB ? 3 : 1;
    const step = (channels * bits) / 8;
    const size = height * (1 + width * step);
    const rows = unzlibSync(parts(bytes, view), { out: new Uint8Array(size + 1) });
    if (rows.length !== size) throw new RangeError("another number of pixels");
    const values = unfilter(rows, height, width * step, step);
    if (bits === 8) return { name, height, width, channels, values };
    return { name, height, width, channels, values: Uint16Array.from({ length: height * width }, (_, at) => values[2 * at] * 256 + values[2 * at + 1]) };
  });
}

function parts(bytes: Uint8Array, view: DataView): Uint8Array {
  const found: Uint8Array[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + 12 + length > bytes.length) throw new RangeError("cut short");
    if (kind === "eXIf" || kind === "acTL") throw new UserError(`A picture is turned or moving (${kind}). Save it as a plain, upright PNG.`);
    if (kind === "IDAT") found.push(bytes.subarray(at + 8, at + 8 + length));
    if (kind === "IEND") break;
    at += 12 + length;
  }
  return join(found);
}

function join(found: Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(found.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of found) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function unfilter(rows: Uint8Array, height: number, length: number, step: number): Uint8Array {
  const out = new Uint8Array(height * length);
  for (let y = 0; y < height; y++) {
    const kind = rows[y * (length + 1)];
    if (kind > 4) throw new RangeError("an unknown filter");
    for (let x = 0; x < length; x++) {
      const at = y * length + x;
      const left = x >= step ? out[at - step] : 0;
      const above = y > 0 ? out[at - length] : 0;
      const corner = x >= step && y > 0 ? out[at - length - step] : 0;
      const guess = kind === 0 ? 0 : kind === 1 ? left : kind === 2 ? above : kind === 3 ? (left + above) >> 1 : paeth(left, above, corner);
      out[at] = rows[y * (length + 1) + 1 + x] + guess;
    }
  }
  return out;
}

function paeth(left: number, above: number, corner: number): number {
  const guess = left + above - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

/** Writes a PNG of 8 bits, grey or RGB, or numbers of a palette, red, green and blue of 256, that says what it is not for. */
export function encodePng(height: number, width: number, channels: 1 | 3, values: Uint8Array, disclaimer: string, palette: Uint8Array | null = null): Uint8Array<ArrayBuffer> {
  const rows = new Uint8Array(height * (1 + width * channels));
  for (let y = 0; y < height; y++) rows.set(values.subarray(y * width * channels, (y + 1) * width * channels), y * (1 + width * channels) + 1);
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([8, palette ? PALETTE : channels === 3 ? RGB : GREY, 0, 0, 0], 8);
  const text = new TextEncoder().encode(`Disclaimer\0${disclaimer}`);
  const joined = join([Uint8Array.from(SIGNATURE), chunk("IHDR", head), ...(palette ? [chunk("PLTE", palette)] : []), chunk("tEXt", text), chunk("IDAT", zlibSync(rows)), chunk("IEND", new Uint8Array(0))]);
  return new Uint8Array(joined);
}

function chunk(kind: string, content: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + content.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, content.length);
  out.set(new TextEncoder().encode(kind), 4);
  out.set(content, 8);
  view.setUint32(8 + content.length, crc(out.subarray(4, 8 + content.length)));
  return out;
}

function crc(bytes: Uint8Array): number {
  let value = -1;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}

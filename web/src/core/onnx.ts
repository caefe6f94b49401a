import { UserError } from "./errors";

const METADATA_PROPS = 14;
const KEY = 1;
const VALUE = 2;

/** Reads the metadata properties of an ONNX file: field 14 of ModelProto, the one part that ONNX Runtime's web build does not give. */
export function onnxMetadata(model: Uint8Array): Map<string, string> {
  const found = new Map<string, string>();
  try {
    for (const [field, content] of fields(model)) {
      if (field !== METADATA_PROPS || content === null) continue;
      const entry = new Map<number, string>();
      for (const [inner, text] of fields(content)) {
        if (text !== null) entry.set(inner, new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text));
      }
      found.set(entry.get(KEY) ?? "", entry.get(VALUE) ?? "");
    }
  } catch {
    throw new UserError("The network's file is cut short, damaged or no ONNX file. It has to be put on the server again.");
  }
  return found;
}

/** The fields of one protobuf message: number and bytes, null for fields that are no bytes. */
function* fields(message: Uint8Array): Generator<[number, Uint8Array | null]> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= message.length) throw new RangeError("the file ends inside a number");
      const byte = message[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number is too long");
  };
  while (at < message.length) {
    const tag = varint();
    const [field, kind] = [Math.floor(tag / 8), tag % 8];
    if (kind === 0) {
      varint();
      yield [field, null];
      continue;
    }
    const length = kind === 2 ? varint() : kind === 1 ? 8 : kind === 5 ? 4 : -1;
    if (length < 0 || at + length > message.length) throw new RangeError("a field reaches beyond the file");
    yield [field, kind === 2 ? message.subarray(at, at + length) : null];
    at += length;
  }
}

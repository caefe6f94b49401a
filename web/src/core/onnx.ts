import { UserError } from "./errors";
import { fields } from "./protobuf";

const METADATA_PROPS = 14;
const KEY = 1;
const VALUE = 2;

/** Reads the metadata properties of an ONNX file: field 14 of ModelProto, the one part that ONNX Runtime's web build does not give. */
export function onnxMetadata(model: Uint8Array): Map<string, string> {
  const found = new Map<string, string>();
  try {
    for (const { number, bytes } of fields(model)) {
      if (number !== METADATA_PROPS || bytes === null) continue;
      const entry = new Map<number, string>();
      for (const inner of fields(bytes)) {
        if (inner.bytes !== null) entry.set(inner.number, new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(inner.bytes));
      }
      found.set(entry.get(KEY) ?? "", entry.get(VALUE) ?? "");
    }
  } catch {
    throw new UserError("The network's file is cut short, damaged or no ONNX file. It has to be put on the server again.");
  }
  return found;
}

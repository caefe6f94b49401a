import type { Engine } from "./segmenter";

/** Logits of prepared planes in as many passes as the contract says: the second sees each row backwards, and the mean of both is given. */
export async function inPasses(engine: Engine, planes: Uint8Array, tables: Float32Array[]): Promise<Float32Array> {
  const logits = await engine.logits(planes, tables);
  if (engine.contract.passes === 1) return logits;
  const { width } = engine.contract;
  const first = Float32Array.from(logits);
  const turned = mirrored(await engine.logits(mirrored(planes, width), tables), width);
  return first.map((logit, at) => Math.fround(logit + turned[at]) * 0.5);
}

/** The rows of planes, each `width` long, backwards. */
function mirrored<T extends Uint8Array | Float32Array>(planes: T, width: number): T {
  const found = planes.slice() as T;
  for (let at = 0; at < found.length; at += width) found.subarray(at, at + width).reverse();
  return found;
}

import { applies, byVolume, logitThreshold, type Contract } from "./contract";
import { Components, largeEnough } from "./components";
import { sha256 } from "./digest";
import { Cancelled, UserError } from "./errors";
import { decodeRuns, draw, flips } from "./golden";
import { countInto, emptyCounts, ownTables, tables } from "./intensity";
import { framedSize, Preparer, type PixelMm, type Slice } from "./prepare";
import { Resampler } from "./resample";

const BELOW_THRESHOLD = 1;

/** One open network: prepared planes and tables in, one logit per pixel of the contract's grid out. */
export interface Engine {
  readonly contract: Contract;
  logits(planes: Uint8Array, tables: Float32Array[]): Promise<Float32Array>;
}

/** Slices that are segmented; `whole` where they are one volume's, in order. */
export interface Volume {
  readonly count: number;
  readonly whole: boolean;
  readonly pixelMm: PixelMm;
  slice(index: number): Slice;
}

/** What is told while a volume is segmented. */
export interface Hooks {
  readonly cancelled: () => boolean;
  readonly done: (slices: number) => void | Promise<void>;
}

/** What a self-test found. */
export interface SelfTest {
  readonly passed: boolean;
  readonly flips: number;
  readonly allowed: number;
  readonly logitOff: number;
}

/** The masks of a volume on its slices' own grid, 0 and 1, and the time each slice took. */
export interface Segmentation {
  readonly masks: Uint8Array[];
  readonly ms: number[];
  readonly postMs: number;
}

interface Kept {
  readonly shape: readonly [number, number];
  readonly size: readonly [number, number];
  readonly mask: Uint8Array;
  readonly logits: Float32Array | null;
}

/** The whole path from stored bytes to masks, the same steps as `edgeseg.runtime.Segmenter`. */
export async function segment(engine: Engine, volume: Volume, hooks: Hooks): Promise<Segmentation> {
  const { contract } = engine;
  const preparer = new Preparer(contract);
  const joins = volume.whole && applies(contract.post_processing, true);
  const components = new Components(contract.height, contract.width);
  const given = volume.whole && byVolume(contract) ? volumeTables(preparer, volume, hooks) : null;
  const kept: Kept[] = [];
  const ms: number[] = [];
  for (let index = 0; index < volume.count; index++) {
    if (hooks.cancelled()) throw new Cancelled();
    const slice = volume.slice(index);
    const before = performance.now();
    const shape = [slice.height, slice.width] as const;
    const size = framedSize(...shape, contract, volume.pixelMm);
    const planes = preparer.prepare(slice, size);
    let logits = await engine.logits(planes, given ?? ownTables(contract, planes));
    const rough = threshold(logits, contract);
    if (joins) components.add(rough);
    else if (!volume.whole) logits = dropLone(logits, rough, contract);
    const tumour = joins && rough.includes(1);
    kept.push({ shape, size, mask: ownMask(logits, contract, shape, size), logits: tumour ? logits : null });
    ms.push(performance.now() - before);
    await hooks.done(index + 1);
  }
  const before = performance.now();
  const masks = joins ? dropJoined(kept, components, contract) : kept.map((one) => one.mask);
  return { masks, ms, postMs: performance.now() - before };
}

/** Runs the contract's golden case on an engine; null where the contract has none. */
export async function selfTest(engine: Engine): Promise<SelfTest | null> {
  const { contract } = engine;
  const { golden, height, width } = contract;
  if (golden === null) return null;
  const bytes = draw(golden, height, width);
  if ((await sha256(bytes)) !== golden.input_sha256) throw new UserError("This browser draws the network's test picture wrongly, so its masks cannot be trusted. Try another browser.");
  const wanted = decodeRuns(golden.mask_runs, height * width);
  if ((await sha256(wanted)) !== golden.mask_sha256) throw new UserError("The network's golden mask is damaged. The network has to be put on the server again.");
  const planes = new Preparer(contract).prepare({ height, width, bytes }, [height, width]);
  const logits = await engine.logits(planes, ownTables(contract, planes));
  const found = flips(threshold(logits, contract), wanted);
  const logitOff = golden.logits.reduce((most, at) => Math.max(most, Math.abs(logits[at.row * width + at.column] - at.logit)), 0);
  return { passed: found <= golden.allowed_flips && logitOff <= golden.logit_tolerance, flips: found, allowed: golden.allowed_flips, logitOff };
}

/** 1 where a logit is above the threshold, compared as float32, as NumPy does. */
export function threshold(logits: Float32Array, contract: Contract): Uint8Array {
  const least = Math.fround(logitThreshold(contract));
  return Uint8Array.from(logits, (logit) => (logit > least ? 1 : 0));
}

/** A slice's mask on its own grid: the logits are resampled, and only then held against the threshold. */
export function ownMask(logits: Float32Array, contract: Contract, shape: readonly [number, number], size: readonly [number, number]): Uint8Array {
  const own = threshold(new Resampler([contract.height, contract.width], size).floats(logits), contract);
  if (size[0] === shape[0] && size[1] === shape[1]) return own;
  const mask = new Uint8Array(shape[0] * shape[1]);
  for (let y = 0; y < shape[0]; y++) mask.set(own.subarray(y * size[1], y * size[1] + shape[1]), y * shape[1]);
  return mask;
}

function volumeTables(preparer: Preparer, volume: Volume, hooks: Hooks): Float32Array[] {
  const counts = emptyCounts(preparer.contract);
  for (let index = 0; index < volume.count; index++) {
    if (hooks.cancelled()) throw new Cancelled();
    const slice = volume.slice(index);
    countInto(preparer.prepare(slice, framedSize(slice.height, slice.width, preparer.contract, volume.pixelMm)), counts);
  }
  return tables(preparer.contract, counts);
}

function dropLone(logits: Float32Array, rough: Uint8Array, contract: Contract): Float32Array {
  if (!applies(contract.post_processing, false)) return logits;
  const found = new Components(contract.height, contract.width);
  found.add(rough);
  const keep = largeEnough(found.sizes(), contract.post_processing, false);
  return without(logits, found, 0, keep, contract) ?? logits;
}

function dropJoined(kept: Kept[], components: Components, contract: Contract): Uint8Array[] {
  const keep = largeEnough(components.sizes(), contract.post_processing, true);
  return kept.map((one, index) => {
    const logits = one.logits && without(one.logits, components, index, keep, contract);
    return logits === null ? one.mask : ownMask(logits, contract, one.shape, one.size);
  });
}

/** Logits in which those of dropped components lie below the threshold; null where none is dropped. */
function without(logits: Float32Array, components: Components, slice: number, keep: boolean[], contract: Contract): Float32Array | null {
  let changed: Float32Array | null = null;
  components.runs(slice, (owner, first, last) => {
    if (keep[owner]) return;
    changed ??= Float32Array.from(logits);
    changed.fill(logitThreshold(contract) - BELOW_THRESHOLD, first, last);
  });
  return changed;
}

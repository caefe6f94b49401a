import { pictured } from "./channels";
import { Components, largeEnough } from "./components";
import { byVolume, drops, logitThreshold, type Contract } from "./contract";
import { sha256 } from "./digest";
import { Cancelled, UserError } from "./errors";
import { asSlice, decodeRuns, draw, flips } from "./golden";
import { inputOddity, type Oddity } from "./input-judge";
import { InputTally, slicesLookedAt } from "./input-tally";
import { countInto, emptyCounts, ownTables, tables } from "./intensity";
import { masksOf } from "./masks";
import { inPasses } from "./mirrored";
import { framedSize, Preparer, type PixelMm, type Slice } from "./prepare";
import { Resampler } from "./resample";
import { TrustTally } from "./trusted";
import type { Verdict } from "./verdict";

const BELOW_THRESHOLD = 1;

/** One open network: prepared planes and tables in, logits out: one per pixel of the contract's grid, a plane for each mask. */
export interface Engine {
  readonly contract: Contract;
  logits(planes: Uint8Array, tables: Float32Array[]): Promise<Float32Array>;
}

/** Slices that are segmented; `whole` where they are one volume's, in order. */
export interface Volume {
  readonly count: number;
  /** What the channels of its slices are. */
  readonly channels: readonly string[];
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

/** The masks of a volume on its slices' own grid, 0 and 1, of several classes a plane for each, and the time each slice took. */
export interface Segmentation {
  readonly masks: Uint8Array[];
  readonly ms: number[];
  readonly postMs: number;
  /** What the network's output tells of a volume's masks together; null for lone slices and where the contract has no `trust`. */
  readonly verdict: Verdict | null;
  /** The same of each mask. */
  readonly verdicts: readonly (Verdict | null)[];
  /** What is odd about the input; null where nothing is. Of lone slices, and without `trust.input`, only what is certain. */
  readonly oddity: Oddity | null;
  /** Where a mask has a verdict also, slice by slice, 1 where the network is unsure; null for a slice where it is not, anywhere. */
  readonly unsure: readonly (Uint8Array | null)[];
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
  const preparer = new Preparer(contract, volume.channels);
  const joins = volume.whole && drops(contract, true);
  const components = masksOf(contract).map(() => new Components(contract.height, contract.width));
  const given = volume.whole && byVolume(contract) ? volumeTables(preparer, volume, hooks) : null;
  const tally = volume.whole ? TrustTally.of(contract) : null;
  const seen = new InputTally(contract.channels.length);
  const looked = slicesLookedAt(volume.count);
  const unsure: (Uint8Array | null)[] = [];
  const slices: Kept[] = [];
  const ms: number[] = [];
  for (let index = 0; index < volume.count; index++) {
    if (hooks.cancelled()) throw new Cancelled();
    const slice = volume.slice(index);
    const before = performance.now();
    const shape = [slice.height, slice.width] as const;
    const size = framedSize(...shape, contract, volume.pixelMm);
    const planes = preparer.prepare(slice, size);
    if (looked.includes(index)) seen.add(planes, contract.height, contract.width);
    let logits = await inPasses(engine, planes, given ?? ownTables(contract, planes));
    tally?.add(logits, contract.width);
    const rough = threshold(logits, contract);
    if (joins) for (const [place, one] of components.entries()) one.add(planeOf(rough, place, contract));
    else if (!volume.whole) logits = dropLone(logits, rough, contract);
    const tumour = joins && rough.includes(1);
    const own = ownLogits(logits, contract, shape, size);
    if (tally) unsure.push(tally.unsure(own));
    slices.push({ shape, size, mask: threshold(own, contract), logits: tumour ? logits : null });
    ms.push(performance.now() - before);
    await hooks.done(index + 1);
  }
  const before = performance.now();
  const masks = joins ? dropJoined(slices, components, contract) : slices.map((one) => one.mask);
  const oddity = inputOddity(seen, volume.whole ? (contract.trust?.input ?? null) : null, contract.channels);
  const verdicts = tally?.verdicts ?? masksOf(contract).map(() => null);
  return { masks, ms, postMs: performance.now() - before, verdict: tally?.verdict ?? null, verdicts, oddity, unsure };
}

/** A contract's golden case, drawn and prepared, and the mask that it has to give. */
export interface GoldenInput {
  readonly planes: Uint8Array;
  readonly wanted: Uint8Array;
}

/** Draws the contract's golden case and holds it to its digests; null where the contract has none. */
export async function goldenInput(contract: Contract): Promise<GoldenInput | null> {
  const { golden, height, width } = contract;
  if (golden === null) return null;
  const bytes = draw(golden, height, width);
  if ((await sha256(bytes)) !== golden.input_sha256) throw new UserError("This browser draws the network's test picture wrongly, so its masks cannot be trusted. Try another browser.");
  const wanted = decodeRuns(golden.mask_runs, masksOf(contract).length * height * width);
  if ((await sha256(wanted)) !== golden.mask_sha256) throw new UserError("The network's golden mask is damaged. The network has to be put on the server again.");
  return { planes: new Preparer(contract).prepare({ height, width, bytes: asSlice(bytes, pictured(contract).length) }, [height, width]), wanted };
}

/** Runs the contract's golden case on an engine; null where the contract has none. `given` is what `goldenInput` gave, for a second engine. */
export async function selfTest(engine: Engine, given?: GoldenInput | null): Promise<SelfTest | null> {
  const { contract } = engine;
  const { golden, width } = contract;
  const input = given === undefined ? await goldenInput(contract) : given;
  if (golden === null || input === null) return null;
  const logits = await inPasses(engine, input.planes, ownTables(contract, input.planes));
  const found = flips(threshold(logits, contract), input.wanted);
  const logitOff = golden.logits.reduce((most, at) => Math.max(most, Math.abs(logits[at.row * width + at.column] - at.logit)), 0);
  return { passed: found <= golden.allowed_flips && logitOff <= golden.logit_tolerance, flips: found, allowed: golden.allowed_flips, logitOff };
}

/** 1 where a logit is above the threshold of its mask, compared as float32, as NumPy does. */
export function threshold(logits: Float32Array, contract: Contract): Uint8Array {
  const masks = masksOf(contract);
  const pixels = logits.length / masks.length;
  const found = new Uint8Array(logits.length);
  for (const [place, mask] of masks.entries()) {
    const least = Math.fround(logitThreshold(mask));
    for (let at = place * pixels; at < (place + 1) * pixels; at++) if (logits[at] > least) found[at] = 1;
  }
  return found;
}

function planeOf<T extends Uint8Array | Float32Array>(planes: T, place: number, contract: Contract): T {
  const pixels = contract.height * contract.width;
  return planes.subarray(place * pixels, (place + 1) * pixels) as T;
}

/** A slice's logits on its own grid, a plane for each mask; only then they are held against a threshold. */
function ownLogits(logits: Float32Array, contract: Contract, shape: readonly [number, number], size: readonly [number, number]): Float32Array {
  const count = masksOf(contract).length;
  const resampler = new Resampler([contract.height, contract.width], size);
  const own = new Float32Array(count * shape[0] * shape[1]);
  for (let place = 0; place < count; place++) {
    const plane = resampler.floats(planeOf(logits, place, contract));
    for (let y = 0; y < shape[0]; y++) own.set(plane.subarray(y * size[1], y * size[1] + shape[1]), (place * shape[0] + y) * shape[1]);
  }
  return own;
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
  if (!drops(contract, false)) return logits;
  const found = masksOf(contract).map((_, place) => {
    const one = new Components(contract.height, contract.width);
    one.add(planeOf(rough, place, contract));
    return one;
  });
  return without(logits, found, 0, kept(found, contract, false), contract) ?? logits;
}

function dropJoined(slices: Kept[], components: Components[], contract: Contract): Uint8Array[] {
  const keep = kept(components, contract, true);
  return slices.map((one, index) => {
    const logits = one.logits && without(one.logits, components, index, keep, contract);
    return logits === null ? one.mask : threshold(ownLogits(logits, contract, one.shape, one.size), contract);
  });
}

/** Which components of each mask stay. */
function kept(components: Components[], contract: Contract, volume: boolean): boolean[][] {
  return masksOf(contract).map((mask, place) => largeEnough(components[place].sizes(), mask.post_processing, volume));
}

/** Logits in which those of dropped components lie below the threshold; null where none is dropped. */
function without(logits: Float32Array, components: Components[], slice: number, keep: boolean[][], contract: Contract): Float32Array | null {
  let changed: Float32Array | null = null;
  for (const [place, mask] of masksOf(contract).entries()) {
    components[place].runs(slice, (owner, first, last) => {
      if (keep[place][owner]) return;
      changed ??= Float32Array.from(logits);
      planeOf(changed, place, contract).fill(logitThreshold(mask) - BELOW_THRESHOLD, first, last);
    });
  }
  return changed;
}

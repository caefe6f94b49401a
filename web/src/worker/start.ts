import { channelsOf } from "../core/channels";
import { slug, type Contract } from "../core/contract";
import { UserError } from "../core/errors";
import { masksOf } from "../core/masks";
import { goldenInput, selfTest, type Engine, type GoldenInput, type SelfTest } from "../core/segmenter";
import { CarefulEngine } from "./careful";
import { OrtEngine, readModel, RUNTIME, setUp, type Model } from "./engine";
import type { Ready } from "./protocol";

/** An open network that passed its self-test. */
export interface Started {
  readonly model: Model;
  readonly engine: Engine & { readonly numerics: string };
  /** What a benchmark measures: the sessions that are open. */
  readonly sessions: readonly OrtEngine[];
  readonly ready: Ready;
}

const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

/** Sessions of a network that checked itself, and what it found. */
interface Checked {
  readonly engine: Started["engine"];
  readonly sessions: readonly OrtEngine[];
  readonly test: Ready["test"];
}

/** Loads network and runtime and lets the network check itself. Refuses where more pixels flip than the contract allows. */
export async function start(modelUrl: string, wasmUrl: string, progress: (share: number) => void): Promise<Started> {
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(Uint8Array.from(SIMD))) {
    throw new UserError("This browser cannot run the network (it lacks WebAssembly SIMD). Use a browser from 2023 or later: Chrome, Edge, Firefox or Safari.");
  }
  const [bytes, wasm] = await Promise.all([fetched(modelUrl), runtime(wasmUrl)]);
  performance.mark("network fetched");
  progress(0.5);
  const model = await readModel(bytes);
  setUp(wasm);
  const opening = OrtEngine.openWhole(model).catch(() => null); // WebAssembly is compiled beside what follows
  const golden = await goldenInput(model.contract);
  const { engine, sessions, test } = (await checked(await opening, golden)) ?? (await asStands(model, golden));
  performance.mark("network ready");
  progress(1);
  const { contract } = model;
  return {
    model,
    engine,
    sessions,
    ready: {
      network: slug(contract),
      target: contract.target,
      sizeBytes: bytes.length,
      sha256: model.sha256,
      trainedOn: contract.trained_on,
      licence: contract.licence,
      intendedUse: contract.intended_use,
      runtime: RUNTIME,
      numerics: engine.numerics,
      test,
      grid: [contract.height, contract.width],
      normalisation: normalisationOf(contract),
      channels: channelsOf(contract),
      masks: masksOf(contract),
      trust: contract.trust?.output ?? null,
      look: contract.trust?.input ?? null,
    },
  };
}

/** A network of int8 in whole numbers, the fastest, that checked itself; null where it cannot be computed so, or fails its test so. */
async function checked(whole: OrtEngine | null, golden: GoldenInput | null): Promise<Checked | null> {
  if (whole === null) return null;
  const test = await selfTest(whole, golden).catch(() => null);
  if (test?.passed) return { engine: whole, sessions: [whole], test: { flips: test.flips, allowed: test.allowed, fastFlips: null } };
  await whole.close();
  return null;
}

/**
 * A network as its file stands: with ONNX Runtime's exact integer setting first, then as it runs by default, which is
 * faster. Where only the default fails its test, all is computed in the exact setting.
 */
async function asStands(model: Model, golden: GoldenInput | null): Promise<Checked> {
  const exact = await OrtEngine.open(model, true);
  const test = await selfTest(exact, golden);
  if (test !== null && !test.passed) throw refused(test);
  const fast = exact.isInteger ? await OrtEngine.open(model, false) : null;
  const fastTest = fast && (await selfTest(fast, golden));
  const trusted = fast !== null && fastTest?.passed === true;
  if (!trusted) await fast?.close();
  return {
    engine: trusted ? new CarefulEngine(exact, fast) : exact,
    sessions: trusted ? [exact, fast] : [exact],
    test: test && { flips: test.flips, allowed: test.allowed, fastFlips: fastTest && fastTest.flips },
  };
}

function normalisationOf({ normalisation, intensity }: Contract): string {
  return intensity === null || normalisation === "mean-std" ? normalisation : `${normalisation}, over the ${intensity.over}`;
}

function refused(test: SelfTest): UserError {
  return new UserError(
    `This browser does not compute the network as it should: on its test picture ${test.flips} pixels differ, and ${test.allowed} may. No masks are drawn. Try another browser or another device.`,
  );
}

async function fetched(url: string): Promise<Uint8Array> {
  return new Uint8Array(await (await answered(url)).arrayBuffer());
}

async function answered(url: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch {
    throw new UserError("The server cannot be reached, and the page is not stored on this device yet. Check the connection and load the page again.");
  }
  if (!response.ok) throw new UserError(`A part of the page is missing on the server (${url.replace(/^.*\//, "")}, status ${response.status}). The page has to be put on the server again.`);
  return response;
}

/**
 * The runtime travels packed, since not every server packs; one that unpacks it on the way is right too. Where this
 * device keeps it, it lies unpacked as WebAssembly, and its address is given: the browser then takes what it compiled before.
 */
async function runtime(url: string): Promise<Uint8Array | string> {
  const response = await answered(url);
  if (response.headers.get("Content-Type") === "application/wasm") {
    void response.body?.cancel();
    return url;
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

import { channelsOf } from "../core/channels";
import { slug, type Contract } from "../core/contract";
import { UserError } from "../core/errors";
import { masksOf } from "../core/masks";
import type { Ready, Start } from "./protocol";
import type { Opened, Runtime, RuntimeName } from "./runtime";

/** An open network that passed its self-test, what runs it, and what the page is told of it. */
export interface Started extends Opened {
  readonly runtime: Runtime;
  readonly ready: Ready;
}

/** A page loads the library that its network needs, and no other. */
const LIBRARIES: Record<RuntimeName, () => Promise<{ readonly runtime: Runtime }>> = { onnxruntime: () => import("./onnxruntime"), litert: () => import("./litert") };

const UNREACHABLE = "The server cannot be reached, and the page is not stored on this device yet. Check the connection and load the page again.";
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

/** Loads network and runtime and lets the network check itself. */
export async function start(asked: Start, progress: (share: number) => void): Promise<Started> {
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(Uint8Array.from(SIMD))) {
    throw new UserError("This browser cannot run the network (it lacks WebAssembly SIMD). Use a browser from 2023 or later: Chrome, Edge, Firefox or Safari.");
  }
  const library = LIBRARIES[asked.runtime]().catch(() => Promise.reject(new UserError(UNREACHABLE)));
  const [bytes, wasm, { runtime }] = await Promise.all([fetched(asked.model), webAssembly(asked.wasm), library]);
  performance.mark("network fetched");
  progress(0.5);
  const opened = await runtime.open(bytes, wasm);
  performance.mark("network ready");
  progress(1);
  const { model, engine, test } = opened;
  const { contract } = model;
  return {
    ...opened,
    runtime,
    ready: {
      network: slug(contract),
      target: contract.target,
      sizeBytes: bytes.length,
      sha256: model.sha256,
      trainedOn: contract.trained_on,
      licence: contract.licence,
      intendedUse: contract.intended_use,
      runtime: `${runtime.library} ${runtime.version}`,
      numerics: engine.numerics,
      test,
      grid: [contract.height, contract.width],
      normalisation: normalisationOf(contract),
      channels: channelsOf(contract),
      masks: masksOf(contract),
      look: contract.trust?.input ?? null,
    },
  };
}

function normalisationOf({ normalisation, intensity }: Contract): string {
  return intensity === null || normalisation === "mean-std" ? normalisation : `${normalisation}, over the ${intensity.over}`;
}

async function fetched(url: string): Promise<Uint8Array> {
  return new Uint8Array(await (await answered(url)).arrayBuffer());
}

async function answered(url: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch {
    throw new UserError(UNREACHABLE);
  }
  if (!response.ok) throw new UserError(`A part of the page is missing on the server (${url.replace(/^.*\//, "")}, status ${response.status}). The page has to be put on the server again.`);
  return response;
}

/**
 * The runtime's WebAssembly travels packed, since not every server packs; one that unpacks it on the way is right too. Where this
 * device keeps it, it lies unpacked as WebAssembly, and its address is given: the browser then takes what it compiled before.
 */
async function webAssembly(url: string): Promise<Uint8Array | string> {
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

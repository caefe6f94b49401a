import litertWasm from "../../generated/litert.bin?url";
import onnxruntimeWasm from "../../generated/onnxruntime.bin?url";
import type { Start } from "../worker/protocol";
import type { RuntimeName } from "../worker/runtime";
import { Failed } from "./client";

const WASM: Record<RuntimeName, string> = { onnxruntime: onnxruntimeWasm, litert: litertWasm };

/** A made-up example of the site. */
export interface Case {
  readonly name: string;
  readonly title: string;
  readonly slices: number;
  readonly file: { readonly file: string; readonly size_bytes: number };
}

/** What `edgeseg web` put beside the page: the network and examples. */
export interface Site {
  /** What runs the network. */
  readonly engine: RuntimeName;
  readonly model: { readonly file: string; readonly size_bytes: number; readonly sha256: string };
  readonly cases: readonly Case[];
}

/** Reads `site.json`. */
export async function readSite(): Promise<Site> {
  const response = await fetch(new URL("site.json", document.baseURI)).catch(() => null);
  if (response === null) throw new Failed("The server cannot be reached, and the page is not stored on this device yet. Check the connection and load the page again.");
  const site: unknown = response.ok ? await response.json().catch(() => null) : null;
  if (typeof site !== "object" || site === null || !("model" in site) || !("cases" in site)) {
    throw new Failed("This page was put on the server without a network, so it has nothing to segment with. Whoever keeps the server has to complete it.");
  }
  if (!("engine" in site) || !Object.hasOwn(WASM, String(site.engine))) {
    throw new Failed("This page does not know what runs its network. Whoever keeps the server has to make it anew with: edgeseg web");
  }
  return site as Site;
}

/** What the worker starts with. */
export function startOf({ engine, model }: Site): Start {
  return { runtime: engine, model: address(model.file), wasm: new URL(WASM[engine], location.href).href };
}

/** An address of the site in full, which a worker understands too. */
export function address(file: string): string {
  return new URL(file, document.baseURI).href;
}

/** The file of an example; null where it cannot be had. */
export async function fetched(one: Case): Promise<Blob | null> {
  const response = await fetch(address(one.file.file)).catch(() => null);
  return response?.ok ? response.blob() : null;
}

/// <reference lib="webworker" />
export type {};

/**
 * Keeps the page on the device: every file by its SHA-256, in one store of one version. A newer version takes its place
 * when the page asks for it or is opened anew; what is no longer named goes, so the store never grows.
 */
const worker = self as unknown as ServiceWorkerGlobalScope;
/** The files of this version and their SHA-256, which `edgeseg web` writes before this script. */
const FILES = (self as unknown as { EDGESEG_FILES?: Readonly<Record<string, string>> }).EDGESEG_FILES ?? {};
const PREFIX = "edgeseg-";
/** What travels packed and is kept unpacked, and under which type: browsers keep what they compiled of WebAssembly that comes from a store. */
const PACKED = ".bin";
const WASM = "application/wasm";
/** Of a file that was unpacked: the digest that it travelled with, and its own. */
const TRAVELLED = "X-Packed-SHA-256";
const OWN = "X-SHA-256";

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("message", (event) => {
  if (event.data === "now") void worker.skipWaiting();
});
worker.addEventListener("fetch", (event) => {
  const name = nameOf(event.request);
  if (event.request.method === "GET" && name !== null) event.respondWith(answer(name, event.request));
});

async function storeName(): Promise<string> {
  return PREFIX + (await digest(new TextEncoder().encode(JSON.stringify(FILES)))).slice(0, 16);
}

async function digest(bytes: Uint8Array<ArrayBuffer> | ArrayBuffer): Promise<string> {
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The name of a file of this version that a request asks for; null for all else. */
function nameOf(request: Request): string | null {
  const { scope } = worker.registration;
  const url = request.url.split(/[?#]/)[0];
  if (!url.startsWith(scope)) return null;
  const name = decodeURIComponent(url.slice(scope.length)) || "index.html";
  return name in FILES ? name : null;
}

async function install(): Promise<void> {
  const store = await caches.open(await storeName());
  try {
    for (const [name, sha256] of Object.entries(FILES)) await keep(store, name, sha256);
  } catch (error) {
    await caches.delete(await storeName());
    throw error;
  }
}

/** Takes a file from an earlier version where it is the same, else from the server, and holds it to its digest. */
async function keep(store: Cache, name: string, sha256: string): Promise<void> {
  const url = new URL(name, worker.registration.scope).href;
  const old = await caches.match(url);
  if (old !== undefined && (await travelled(old.clone())) === sha256) return store.put(url, old);
  const response = await fetch(url, { cache: "no-cache" });
  if (!response.ok || (await digest(await response.clone().arrayBuffer())) !== sha256) throw new Error(`${name} is not the file of this version`);
  await store.put(url, name.endsWith(PACKED) ? await unpacked(response, sha256) : response);
}

/** The digest that a stored file came with; none where it is not the file that was stored. */
async function travelled(stored: Response): Promise<string | null> {
  const own = await digest(await stored.arrayBuffer());
  const as = stored.headers.get(TRAVELLED);
  return as === null ? own : own === stored.headers.get(OWN) ? as : null;
}

async function unpacked(response: Response, sha256: string): Promise<Response> {
  if (response.body === null) throw new Error("there is nothing to unpack");
  const bytes = await new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  return new Response(bytes, { headers: { "Content-Type": WASM, [TRAVELLED]: sha256, [OWN]: await digest(bytes) } });
}

async function activate(): Promise<void> {
  const name = await storeName();
  for (const other of await caches.keys()) if (other.startsWith(PREFIX) && other !== name) await caches.delete(other);
  await worker.clients.claim();
}

async function answer(name: string, request: Request): Promise<Response> {
  const store = await caches.open(await storeName());
  return (await store.match(new URL(name, worker.registration.scope).href)) ?? fetch(request);
}

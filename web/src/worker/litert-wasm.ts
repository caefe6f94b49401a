import factory from "@litertjs/core/wasm/litert_wasm_compat_internal.js";

let wasm: Uint8Array | string = "";

/** Gives LiteRT.js its WebAssembly, or the address of a file of that type; before `loadLiteRt`. */
export function giveWasm(given: Uint8Array | string): void {
  wasm = given;
}

/**
 * Stands in for `@litertjs/wasm-utils`, which loads a script by an address that the page would have to keep beside its own
 * code and that a module's worker cannot load: here it is in the bundle.
 */
export async function createWasmLib<T>(Library: new (module: unknown) => T): Promise<T> {
  const nothing = (): void => undefined;
  const from = typeof wasm === "string" ? { locateFile: () => wasm as string } : { wasmBinary: wasm };
  return new Library(await factory({ ...from, print: nothing, printErr: nothing }));
}

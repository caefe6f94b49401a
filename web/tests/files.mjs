import { readFileSync } from "node:fs";

const HERE = new URL("./", import.meta.url);
/** A file of the repository. */
export const repository = (path) => new URL(`../../${path}`, HERE);
/** A file that tests/fixtures.py wrote. */
export const fixture = (path) => new URL(`../generated/fixtures/${path}`, HERE);
/** The bytes of a file as a plain array. */
export const bytesOf = (url) => new Uint8Array(readFileSync(url));
/** A JSON file. */
export const jsonOf = (url) => JSON.parse(readFileSync(url, "utf8"));
export const INT8 = repository("android-demo/app/src/main/assets/edgeseg/model.onnx");
export const FLOAT = repository("android-demo/app/src/main/assets/edgeseg-float/model.onnx");
export const WASM = new URL("../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm", HERE);

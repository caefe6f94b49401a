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
/** The text of the contract that a model's bytes hold. */
export const contractText = (bytes) => {
  const found = new TextDecoder("latin1").decode(bytes);
  const start = found.indexOf('{"variant"');
  let [depth, quoted, end] = [0, false, start];
  do {
    const letter = found[end];
    if (quoted && letter === "\\") end += 1;
    else if (letter === '"') quoted = !quoted;
    else if (!quoted && letter === "{") depth += 1;
    else if (!quoted && letter === "}") depth -= 1;
    end += 1;
  } while (depth > 0);
  return found.slice(start, end);
};
export const INT8 = repository("android-demo/app/src/main/assets/edgeseg/model.onnx");
export const FLOAT = repository("android-demo/app/src/main/assets/edgeseg-float/model.onnx");
export const WASM = new URL("../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm", HERE);
/** Files of a built page that are libraries, or what bundling leaves of them; all other code is its own, with fflate. */
export const LIBRARY = /^(niivue-|index\.jpeg-|worker\.jpeg-|onnxruntime-library-|litert-library-|_numcodecs-|__vite|rolldown-runtime-)/;

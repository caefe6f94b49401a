// Run ONNX models on raw codes in WebAssembly: `node guest.mjs ORT JOBS`, jobs as guest.py takes them.
// ORT is the folder of the unpacked npm package onnxruntime-web.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, jobs] = process.argv.slice(2);
const arrays = { int8: Int8Array, uint8: Uint8Array, float32: Float32Array };
const ort = await import(pathToFileURL(join(folder, "dist", "ort.node.min.mjs")));
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "fatal";

for (const job of JSON.parse(await readFile(jobs, "utf8"))) {
  const extra = job.integer_graph ? { session: { qdqisint8allowed: "1" } } : {};
  const options = { executionProviders: ["wasm"], extra };
  const session = await ort.InferenceSession.create(await readFile(job.model), options);
  const raw = await readFile(job.inputs);
  const stack = new arrays[job.dtype](raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength));
  const length = stack.length / job.slices;
  const given = [];
  for (let slice = 0; slice < job.slices; slice++) {
    const tensor = new ort.Tensor(job.dtype, stack.slice(slice * length, (slice + 1) * length), job.shape);
    const outputs = await session.run({ [session.inputNames[0]]: tensor });
    const data = outputs[session.outputNames[0]].data;
    given.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  }
  await writeFile(job.outputs, Buffer.concat(given));
  await session.release();
}
const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
console.log(JSON.stringify({ "onnxruntime-web": version }));

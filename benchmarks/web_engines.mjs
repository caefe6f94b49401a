// The part of web_engines.py that runs in Chromium: `node benchmarks/web_engines.mjs JOB`, and the page goes to the output.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import * as core from "../web/generated/core/core.mjs";
import { launch } from "../web/tests/browser.mjs";
import { repository } from "../web/tests/files.mjs";

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { folder, slices, rounds } = job;
const WARMUP = 5;
/** Of LiteRT.js: as the page takes it, and with relaxed SIMD. */
const BUILDS = { litert: "litert_wasm_compat_internal", relaxed: "litert_wasm_internal" };
const litert = new URL("web/node_modules/@litertjs/", repository("")).pathname;
const ort = new URL("web/node_modules/onnxruntime-web/dist/", repository("")).pathname;
const model = await core.readModel(readFileSync(job.onnx));
const { contract } = model;
const whole = core.inWholeNumbers(model.bytes);
const HTML = `<!doctype html><script type="importmap">{"imports":{"@litertjs/wasm-utils":"/litert/wasm-utils/dist/index.js"}}</script>`;
const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
const made = { "/": HTML, "/whole.onnx": whole, "/model.onnx": model.bytes };
const places = { "/ort/": ort, "/litert/": litert, "/job/": `${folder}/` };

const server = createServer((request, response) => {
  const [url] = request.url.split("?");
  const [name] = Object.keys(places).filter((one) => url.startsWith(one));
  try {
    const body = made[url] ?? readFileSync(join(places[name], url.slice(name.length)));
    response.writeHead(200, { "Content-Type": TYPES[extname(url)] ?? (url === "/" ? "text/html" : "application/octet-stream") });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

/** Runs in the page: every engine on every slice, by turns. */
async function measure({ slices, rounds, warmup, height, width, least, scales, builds }) {
  const bytes = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
  const ort = await import("/ort/ort.wasm.min.mjs");
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "fatal";
  const images = await bytes("/job/inputs.bin");
  const size = height * width * 3;
  const grid = height * width;
  const opened = {};
  const session = async (file, level, extra = {}) => ort.InferenceSession.create(await bytes(file), { executionProviders: ["wasm"], graphOptimizationLevel: level, extra });
  opened.whole = await session("/whole.onnx", "disabled");
  opened.integers = await session("/model.onnx", "all", { session: { qdqisint8allowed: "1" } });
  opened.default = await session("/model.onnx", "all");
  const nchw = (index) => Int8Array.from({ length: size }, (_, at) => images[index * size + (at % grid) * 3 + Math.floor(at / grid)] - 128);
  const nhwc = (index) => Float32Array.from({ length: size }, (_, at) => Math.fround(images[index * size + at] / 255));
  const run = {};
  for (const [name, file] of Object.entries(builds)) {
    const { loadLiteRt, loadAndCompile, Tensor } = await import(`/litert/core/dist/index.js?${name}`); // a library each
    await loadLiteRt(`/litert/core/wasm/${file}.js`);
    const compiled = await loadAndCompile(await bytes("/job/float-ends.tflite"), { accelerator: "wasm" });
    run[name] = async (given) => {
      const input = new Tensor(given, [1, height, width, 3]);
      const [output] = await compiled.run([input]);
      const values = output.toTypedArray();
      input.delete();
      output.delete();
      return values;
    };
  }
  for (const name of ["whole", "integers", "default"]) {
    run[name] = async (given) => (await opened[name].run({ image: new ort.Tensor("int8", given, [1, 3, height, width]) })).logits.data;
  }
  const times = Object.fromEntries(Object.keys(run).map((name) => [name, []]));
  const codes = Object.fromEntries(Object.keys(run).map((name) => [name, new Int8Array(slices * grid)]));
  const [tfliteStep, tfliteZero] = scales.tflite;
  for (let round = 0; round < rounds; round++) {
    for (let index = 0; index < slices; index++) {
      for (const [name, one] of Object.entries(run)) {
        const given = name in builds ? nhwc(index) : nchw(index);
        const before = performance.now();
        const values = await one(given);
        if (round > 0 || index >= warmup) times[name].push(performance.now() - before);
        if (round > 0) continue;
        codes[name].set(name in builds ? Int8Array.from(values, (value) => Math.round(value / tfliteStep) + tfliteZero) : values, index * grid);
      }
    }
  }
  const python = new Int8Array((await bytes("/job/wanted.bin")).buffer);
  const differ = (one, other) => one.reduce((count, value, at) => count + (value === other[at] ? 0 : 1), 0);
  const mask = (given, [step, zero]) => given.map((code) => ((code - zero) * step > least ? 1 : 0));
  const own = mask(codes.litert, scales.tflite);
  return {
    times,
    differ: { whole: differ(codes.whole, codes.integers), integers: 0, default: differ(codes.default, codes.integers), litert: differ(codes.litert, python), relaxed: differ(codes.relaxed, python) },
    flips: { tflite: differ(own, mask(python, scales.tflite)), onnx: differ(own, mask(codes.integers, scales.onnx)) },
    tumour: mask(python, scales.tflite).reduce((sum, value) => sum + value, 0),
    pixels: python.length,
    runtime: ort.env.versions.web ?? ort.env.versions.common,
  };
}

const browser = await launch();
const page = await browser.newPage();
page.on("console", (message) => console.error("page:", message.text()));
page.on("pageerror", (error) => console.error("page:", error.message));
await page.goto(`http://127.0.0.1:${server.address().port}/`);
const load = loadavg()[0];
const { height, width } = contract;
const least = Math.log(contract.threshold / (1 - contract.threshold));
const onnxScale = [Number(model.metadata.get("edgeseg.output_scale")), Number(model.metadata.get("edgeseg.output_zero_point"))];
const found = await page.evaluate(measure, { slices, rounds, warmup: WARMUP, height, width, least, builds: BUILDS, scales: { tflite: [job.step, job.zero_point], onnx: onnxScale } });
const version = browser.version();
await browser.close();
server.close();

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const sizes = (files) => {
  const all = files.map((file) => readFileSync(file));
  return [all, all.map((one) => gzipSync(one, { level: 9 }))].map((list) => list.reduce((sum, one) => sum + one.length, 0));
};
const wasm = `${litert}core/wasm/${BUILDS.litert}`;
const libraries = {
  "onnxruntime-web": sizes([`${ort}ort.wasm.min.mjs`, `${ort}ort-wasm-simd-threaded.mjs`, `${ort}ort-wasm-simd-threaded.wasm`]),
  "LiteRT.js": sizes([`${litert}core/dist/index.js`, `${wasm}.js`, `${wasm}.wasm`]),
  "onnx-int8": sizes([job.onnx]),
  "tflite-int8": sizes([job.tflite]),
};
const ms = (values) => median(values).toFixed(1);
const ratio = (name) => median(found.times[name].map((value, at) => value / found.times.whole[at])).toFixed(2);
const kB = (bytes) => `${figure(Math.round(bytes / 1000))} kB`;
const figure = (value) => value.toLocaleString("en");
const codes = (name) => `${figure(found.differ[name])} of ${figure(found.pixels)}${name in BUILDS ? ", from those of Python's LiteRT" : ""}`;
const { version: litertVersion } = JSON.parse(readFileSync(`${litert}core/package.json`, "utf8"));
const rows = [
  ["onnx-int8 in whole numbers (as the page runs it)", "whole"], ["onnx-int8, exact integer graph", "integers"], ["onnx-int8, default kernels", "default"],
  ["tflite-int8, LiteRT.js (as the page runs it)", "litert"], ["tflite-int8, LiteRT.js with relaxed SIMD", "relaxed"],
];
console.log(`# Engines for the web page, measured

<!-- Written by \`benchmarks/web_engines.py\`; do not edit. -->

This page is for looking up how LiteRT.js and ONNX Runtime compare in the page of \`edgeseg web\`, which takes either.

The network is \`${job.network}\` on ${slices} slices of a phantom, ${rounds} rounds by turns after ${WARMUP} slices of warm-up; ${cpus()[0].model.trim()},
${cpus().length} processors, Chromium ${version}, onnxruntime-web ${found.runtime}, LiteRT.js ${litertVersion}, one thread each. Load average before:
${load.toFixed(1)}. LiteRT.js refuses int8 inputs and outputs, so the file has QUANTIZE and DEQUANTIZE at its ends there.

| engine | median ms a slice | times that of whole numbers, slice by slice | codes that differ from the integer graph's |
|---|---|---|---|
${rows.map(([told, name]) => `| ${told} | ${ms(found.times[name])} | ${ratio(name)} | ${codes(name)} |`).join("\n")}

Of ${figure(found.pixels)} pixels, ${figure(found.tumour)} of them in a mask, ${found.flips.tflite} of LiteRT.js's masks differ from those of Python's LiteRT on
\`tflite-int8\`, and ${found.flips.onnx} from those of \`onnx-int8\`, which is quantised by itself.
The page takes LiteRT.js without relaxed SIMD: not every browser has that, its results are each processor's own, and a page
for all browsers would hold both builds.

| to load | raw | gzip |
|---|---|---|
${Object.entries(libraries).map(([name, list]) => `| ${name} | ${list.map(kB).join(" | ")} |`).join("\n")}`);

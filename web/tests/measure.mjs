// Measures the page on this machine and writes a page of the documentation: `node web/tests/measure.mjs docs/measured/web.md`.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { gzipSync, brotliCompressSync } from "node:zlib";
import * as core from "../generated/core/core.mjs";
import { kept, launch, open, serve, visit } from "./browser.mjs";
import { bytesOf, fixture, INT8, jsonOf, LIBRARY, WASM } from "./files.mjs";

const ROUNDS = 5;
const VOLUME = 60;
/** Marks of the worker, and what has come to its end then. */
const STEPS = { "network fetched": "network and runtime are there", "network ready": "the network passed its self-test", "scan read": "the slices are decoded", masks: "all slices are segmented" };
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
const kB = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;
const mask = (page) => page.evaluate(() => performance.getEntriesByName("mask")[0].startTime);

/** When all that was asked of the picture is drawn, the mask with it. */
const drawn = (page) => page.evaluate(() => {
  const gl = document.getElementById("canvas").getContext("webgl2");
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  return performance.now();
});

/** When the worker came to its marks, in the page's time. */
async function steps(page) {
  const from = await page.evaluate(() => performance.timeOrigin);
  const [worker] = page.workers();
  const { at, marks } = await worker.evaluate(() => ({ at: performance.timeOrigin, marks: performance.getEntriesByType("mark").map(({ name, startTime }) => [name, startTime]) }));
  return Object.fromEntries(marks.map(([name, time]) => [name, time + at - from]));
}

/** From the page's address to the mask of the first example, with nothing stored, and then with the server gone. */
async function visits(browser, site) {
  const [first, offline] = [[], []];
  const [firstDrawn, offlineDrawn, marks] = [[], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    const server = await serve(fixture(site));
    const { context, page } = await open(browser, server.url);
    await visit(page, server.url);
    firstDrawn.push(await drawn(page));
    first.push(await mask(page));
    await kept(page);
    await server.stop();
    await visit(page, server.url);
    offlineDrawn.push(await drawn(page));
    offline.push(await mask(page));
    marks.push(await steps(page));
    await context.close();
  }
  return { first, firstDrawn, offline, offlineDrawn, marks };
}

/** A volume of 60 slices in Node's WebAssembly: the page's steps without its picture. */
async function volume() {
  core.setUp(bytesOf(WASM));
  const model = await core.readModel(bytesOf(INT8));
  const engine = await core.OrtEngine.openWhole(model);
  const { scan } = await core.open(readdirSync(fixture("pictures/PHANTOM")).map((name) => ({ path: `P/${name}`, bytes: bytesOf(fixture(`pictures/PHANTOM/${name}`)) })), model.contract);
  const long = { ...scan, count: VOLUME, slice: (index) => scan.slice(Math.floor((index * scan.count) / VOLUME)) };
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = performance.now();
    await core.segment(engine, long, { cancelled: () => false, done: () => undefined });
    times.push(performance.now() - before);
  }
  return times;
}

const sizes = (names) => {
  const all = names.map((name) => readFileSync(fixture(name)));
  return [all, all.map((one) => gzipSync(one, { level: 9 })), all.map((one) => brotliCompressSync(one))].map((list) => list.reduce((sum, one) => sum + one.length, 0));
};
const assets = (site, pattern) => readdirSync(fixture(`${site}/assets`)).filter((name) => !name.endsWith(".gz") && pattern.test(name)).map((name) => `${site}/assets/${name}`);
const network = (site) => `${site}/${jsonOf(fixture(`${site}/site.json`)).model.file}`;
const own = assets("site", /\.(js|css)$/).filter((name) => !LIBRARY.test(name.replace(/^.*\//, "")));
const parts = [
  ["own code, with fflate", ["site/index.html", "site/sw.js", ...own]],
  ["ONNX Runtime (its WebAssembly travels packed)", assets("site", /^onnxruntime-(library-.*\.js|.*\.bin)$/)],
  ["or LiteRT.js (its WebAssembly travels packed)", assets("site-litert", /^litert-(library-.*\.js|.*\.bin)$/)],
  ["NiiVue, with its font", assets("site", /^(niivue|viewer)-/)],
  ["dcm2niix, loaded for DICOM alone", assets("site", /jpeg-[^/]*\.(js|wasm)$/)],
  ["the network, onnx-int8", [network("site")]],
  ["or tflite-int8", [network("site-litert")]],
];

const load = loadavg()[0];
const browser = await launch();
const { first, firstDrawn, offline, offlineDrawn, marks } = await visits(browser, "site");
const litert = await visits(browser, "site-litert");
const version = browser.version();
await browser.close();
const long = await volume();
const rows = [
  ["first visit to first mask, nothing stored", first], ["the same, until the picture is drawn", firstDrawn],
  ["first mask with the server stopped", offline], ["the same, until the picture is drawn", offlineDrawn],
  ["LiteRT.js: first visit to first mask, nothing stored", litert.first], ["LiteRT.js: first mask with the server stopped", litert.offline],
  ...Object.entries(STEPS).map(([name, told]) => [`with the server stopped, until ${told}`, marks.map((one) => one[name])]),
  [`${VOLUME} slices to masks, all with a finding near, without the picture`, long],
];
const text = `# The web page, measured

<!-- Written by \`make measure-web\`; do not edit. -->

This page is for looking up how fast the page of \`edgeseg web\` is on one machine, and how much it loads.

${cpus()[0].model.trim()}, ${cpus().length} processors, Chromium ${version} without a graphics processor (its picture is computed by
the same processors), onnxruntime-web ${core.VERSION}, one thread. Load average before the first round: ${load.toFixed(1)}. The first
mask is that of a phantom of 26 slices; each figure is over ${ROUNDS} rounds.

| what | median | fastest | slowest |
|---|---|---|---|
${rows.map(([name, times]) => `| ${name} | ${seconds(median(times))} | ${seconds(Math.min(...times))} | ${seconds(Math.max(...times))} |`).join("\n")}

| part of the page | raw | gzip | brotli |
|---|---|---|---|
${parts.map(([name, files]) => `| ${name} | ${sizes(files).map(kB).join(" | ")} |`).join("\n")}
`;
writeFileSync(process.argv[2], text);
console.log(text);

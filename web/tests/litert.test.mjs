// A page whose network LiteRT.js runs: masks equal to those of Python's LiteRT in every pixel, offline too, and no ONNX Runtime.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { flips, launch, offline, open, pick, savedMasks, serve, until, visit, wantedMasks } from "./browser.mjs";
import { bytesOf, fixture, jsonOf, repository } from "./files.mjs";

const path = (name) => fileURLToPath(fixture(name));
const text = (page, id) => page.locator(`#${id}`).textContent();
const asked = [];
let browser;
let server;
let shared;

before(async () => {
  [browser, server] = await Promise.all([launch(), serve(fixture("site-litert"))]);
  shared = await open(browser, server.url, { serviceWorkers: "block" });
  shared.context.on("request", (request) => asked.push(request.url()));
  await visit(shared.page, server.url);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("the first example is segmented at once, as Python's LiteRT segments it", async () => {
  const { page, odd } = shared;
  const wanted = wantedMasks("litert-example");
  assert.ok(wanted.includes(1));
  assert.equal(flips(await savedMasks(page), wanted), 0);
  assert.match(await text(page, "facts"), /passed: 0 of 65,536 pixels differ, \d+ may/);
  assert.match(await text(page, "facts"), /@litertjs\/core 2\.5\.3, int8, LiteRT XNNPACK/);
  assert.deepEqual(odd, []);
});

test("a page holds, and asks for, the library of its own network alone", () => {
  for (const [site, own, other] of [["site-litert", "litert-", "onnxruntime-"], ["site", "onnxruntime-", "litert-"]]) {
    const names = readdirSync(fixture(`${site}/assets`));
    assert.ok(names.some((name) => name.startsWith(own)), own);
    assert.deepEqual(names.filter((name) => name.startsWith(other)), []);
    assert.ok(!readFileSync(fixture(`${site}/sw.js`), "utf8").includes(`assets/${other}`));
  }
  assert.ok(asked.some((url) => /\/litert-[^/]*\.bin$/.test(url)), asked.join());
  assert.deepEqual(asked.filter((url) => url.includes("onnxruntime")), []);
});

test("NIfTI: the masks are those of Python's LiteRT in every pixel", async () => {
  const { page, odd } = shared;
  await pick(page, ["nifti/Sub01_T1.nii", "nifti/Sub01_FLAIR.nii.gz", "nifti/Sub01_T1_post.nii"].map(path));
  await page.waitForSelector("#choice[open]");
  await page.click("#choose");
  await until(page, "done");
  assert.equal(flips(await savedMasks(page), wantedMasks("litert-nifti")), 0);
  assert.deepEqual(odd, []);
});

test("the golden slices: the masks are those of Python's LiteRT in every pixel", async () => {
  const golden = jsonOf(repository("tests/golden/golden.json"));
  await pick(shared.page, golden.slices.map(({ file }) => fileURLToPath(repository(`tests/golden/${file}`))));
  await until(shared.page, "done");
  assert.equal(flips(await savedMasks(shared.page), wantedMasks("litert-golden")), 0);
});

test("a benchmark names library and file", async () => {
  const { page } = shared;
  await page.click("#about summary");
  await page.evaluate(() => { document.getElementById("bench").dataset.runs = "2"; });
  const [download] = await Promise.all([page.waitForEvent("download", { timeout: 60_000 }), page.click("#bench")]);
  const { cells, device } = jsonOf(await download.path());
  assert.deepEqual(cells.map(({ file, format, runs }) => [file, format, runs]), [["model.tflite", "tflite", 2]]);
  assert.equal(device.versions["@litertjs/core"], "2.5.3");
});

const model = () => bytesOf(fixture(`site-litert/${jsonOf(fixture("site-litert/site.json")).model.file}`));
const broken = (change) => { const bytes = model(); change(bytes); return Buffer.from(bytes); };
for (const [what, routed, answer, says] of [
  ["a network whose weights were changed", "**/model/*", () => broken((bytes) => { bytes[bytes.length >> 1] ^= 1; }), /not the one its contract was sealed with|damaged/],
  ["an ONNX file in its place", "**/model/*", () => Buffer.from(bytesOf(fixture(`site/${jsonOf(fixture("site/site.json")).model.file}`))), /no TFLite file/],
  ["a library that is damaged", "**/assets/litert-*.bin", () => Buffer.from("no WebAssembly"), /cannot be opened in this browser/],
  ["an engine that the page does not have", "**/site.json", () => Buffer.from(readFileSync(fixture("site-litert/site.json"), "utf8").replace('"litert"', '"another"')), /does not know what runs its network/],
]) {
  test(`${what} is refused in one sentence, and nothing is drawn`, async () => {
    const { context, page } = await open(browser, server.url, { serviceWorkers: "block" });
    await page.route(routed, (route) => route.fulfill({ body: answer() }));
    await visit(page, server.url, ["failed"]);
    assert.match(await text(page, "problem-told"), says);
    assert.equal(await page.locator("#result").isVisible(), false);
    await context.close();
  });
}

test("a browser that computes wrongly is refused", async () => {
  const { context, page } = await open(browser, server.url, { serviceWorkers: "block" });
  await page.route("**/assets/worker-*.js", async (route) => {
    const body = readFileSync(fixture(`site-litert/${new URL(route.request().url()).pathname.slice(1)}`), "utf8");
    return route.fulfill({ contentType: "text/javascript", body: `const whole = Math.fround; Math.fround = (value) => whole(value) * 1.5;\n${body}` });
  });
  await visit(page, server.url, ["failed"]);
  assert.match(await text(page, "problem-told"), /does not compute the network as it should: on its test picture \d+ pixels differ, and \d+ may/);
  await context.close();
});

test("offline after the first visit", async () => {
  const { context, page, odd } = await offline(browser, fixture("site-litert"), fixture("site-litert-offline/"));
  assert.equal(flips(await savedMasks(page), wantedMasks("litert-example")), 0);
  assert.deepEqual(odd, []);
  await context.close();
});

// The page in Chromium: masks equal to Python's in every pixel, from every format, and no way to break it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as core from "../generated/core/core.mjs";
import { flips, kept, launch, offline, open, pick, PYTHON, savedMasks, serve, until, visit, wantedMasks } from "./browser.mjs";
import { bytesOf, fixture, jsonOf, LIBRARY, repository } from "./files.mjs";

const path = (name) => fileURLToPath(fixture(name));
let browser;
let server;
let shared;

before(async () => {
  [browser, server] = await Promise.all([launch(), serve(fixture("site"))]);
  shared = await open(browser, server.url, { serviceWorkers: "block" });
  await visit(shared.page, server.url);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const text = (page, id) => page.locator(`#${id}`).textContent();
const choose = (page) => page.click("#choose");

test("the first example is segmented at once, as Python segments it", async () => {
  const { page, odd } = shared;
  const wanted = jsonOf(repository("android-demo/app/src/main/assets/edgeseg/manifest.json")).cases.find((one) => one.name === "PHANTOM_PB_0007");
  const found = await savedMasks(page);
  const expected = wanted.expected.map((runs) => core.decodeRuns(runs, wanted.height * wanted.width));
  assert.equal(found.length, expected.length * wanted.height * wanted.width);
  assert.deepEqual(expected.map((mask, at) => flips(found.subarray(at * mask.length, (at + 1) * mask.length), mask)), expected.map(() => 0));
  assert.match(await text(page, "state"), /self-test passed/);
  assert.match(await text(page, "facts"), /passed: 0 of 65,536 pixels differ, \d+ may/);
  assert.match(await text(page, "facts"), /int8, exact \(whole numbers in float32\)/);
  assert.deepEqual(odd, []);
});

for (const [name, files, button] of [
  ["nifti", ["nifti/Sub01_T1.nii", "nifti/Sub01_FLAIR.nii.gz", "nifti/Sub01_T1_post.nii"], "files"],
  ["elsewhere", ["elsewhere/flair.nii.gz", "elsewhere/t1ce.nii.gz"], "files"],
  ["dicom", "dicom", "folder"],
]) {
  test(`${name}: the masks are Python's in every pixel`, async () => {
    const { page, odd } = shared;
    await pick(page, Array.isArray(files) ? files.map(path) : path(files), button);
    await page.waitForSelector("#choice[open]");
    assert.notEqual(await page.locator("#choice select[data-channel=flair]").inputValue(), "", "FLAIR is told by its name");
    await choose(page);
    await until(page, "done");
    assert.equal(flips(await savedMasks(page), wantedMasks(name)), 0);
    assert.match(await text(page, "volume"), /mL$/);
    assert.deepEqual(odd, []);
  });
}

test("pictures of a folder: the masks are Python's in every pixel", async () => {
  await pick(shared.page, path("pictures/PHANTOM"), "folder");
  await until(shared.page, "done");
  assert.equal(flips(await savedMasks(shared.page), wantedMasks("pictures")), 0);
});

test("the golden slices: the masks are those of tests/golden", async () => {
  const golden = jsonOf(repository("tests/golden/golden.json"));
  await pick(shared.page, golden.slices.map(({ file }) => fileURLToPath(repository(`tests/golden/${file}`))));
  await until(shared.page, "done");
  const found = await savedMasks(shared.page);
  const wanted = golden.artifacts.find((one) => one.target === "onnx-int8").volume;
  for (const [at, { runs }] of wanted.entries()) assert.equal(flips(found.subarray(at * 65536, (at + 1) * 65536), core.decodeRuns(runs, 65536)), 0);
});

test("table and picture can be saved", async () => {
  const { page } = shared;
  const saved = async (id) => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(`#${id}`)]);
    return bytesOf(await download.path());
  };
  const rows = new TextDecoder().decode(await saved("save-csv")).trim().split("\r\n");
  assert.match(rows[0], /^scan,slice,tumour_pixels,/);
  assert.equal(rows.length, 4);
  assert.ok(core.isPng(await saved("save-png")));
});

test("a benchmark is a result of edgeseg bench", async () => {
  const { page } = shared;
  await page.click("#about summary");
  await page.evaluate(() => { document.getElementById("bench").dataset.runs = "5"; });
  const [download] = await Promise.all([page.waitForEvent("download", { timeout: 120_000 }), page.click("#bench")]);
  const file = await download.path();
  const code = "import sys; from edgeseg.jsonio import from_json; from edgeseg.results.bench import BenchResult; print([cell.runs for cell in from_json(BenchResult, open(sys.argv[1], 'rb').read()).cells])";
  const read = spawnSync(PYTHON, ["-c", code, file], { cwd: fileURLToPath(repository("")), encoding: "utf8", env: { ...process.env, PYTHONPATH: fileURLToPath(repository("")) } });
  assert.equal(read.stdout.trim(), "[5]", read.stderr);
  await page.click("#about summary");
});

for (const [name, says] of [
  ["cut.png", /cut short or damaged/], ["empty.png", /is empty/], ["slice.jpg", /JPEG/], ["text.nii", /no NIfTI file/], ["cut.nii.gz", /cut short/], ["cut.zip", /cannot be unpacked/], ["notes.txt", /no file that can be read here/],
]) {
  test(`${name}: a clear message, and the page goes on`, async () => {
    await pick(shared.page, path(`damaged/${name}`));
    await until(shared.page, "failed");
    assert.match(await text(shared.page, "problem-told"), says);
  });
}

test("after all that, a scan is segmented as before", async () => {
  const { page, odd } = shared;
  await page.click("#cases button:nth-child(2)");
  await until(page, "done");
  assert.equal(await page.locator("#problem").isVisible(), false);
  assert.match(await text(page, "name"), /Phantom C2/);
  assert.deepEqual(odd, []);
});

test("a run can be stopped and begun again", async () => {
  const { page } = shared;
  await page.evaluate(() => new Promise((stopped) => {
    const doing = document.getElementById("doing");
    // in the page, at its first slice: from outside the run may have ended before the button is found
    new MutationObserver((_, watch) => {
      if (!/Slice/.test(doing.textContent)) return;
      watch.disconnect();
      document.getElementById("stop").click();
      stopped();
    }).observe(doing, { childList: true, characterData: true, subtree: true });
    document.querySelector("#cases button:nth-child(1)").click();
  }));
  await until(page, "stopped");
  await page.click("#again");
  await until(page, "done");
  assert.match(await text(page, "extent"), /of 26 slices/);
});

test("another scan in the middle of a run, and a turned screen, leave the later one", async () => {
  const { page } = shared;
  await page.click("#cases button:nth-child(1)");
  await page.waitForFunction(() => /Slice/.test(document.getElementById("doing").textContent));
  await page.setViewportSize({ width: 768, height: 1024 });
  await page.click("#cases button:nth-child(2)");
  await until(page, "done");
  await page.setViewportSize({ width: 1024, height: 640 });
  assert.match(await text(page, "name"), /Phantom C2/);
  assert.match(await text(page, "extent"), /of 21 slices/);
});

test("keys move through the slices, and findings lead to theirs", async () => {
  const { page } = shared;
  await page.click("#findings button");
  const first = await text(page, "slice-told");
  await page.focus("#canvas");
  await page.keyboard.press("ArrowUp");
  assert.notEqual(await text(page, "slice-told"), first);
  await page.keyboard.press("ArrowDown");
  assert.equal(await text(page, "slice-told"), first);
  await page.focus("#slice");
  await page.keyboard.press("Home");
  assert.equal(await text(page, "slice-told"), "1 of 21");
});

test("a network that is damaged or missing is refused, and nothing is drawn", async () => {
  await shared.context.close();
  for (const [change, says] of [
    [(bytes) => { bytes[bytes.length >> 1] ^= 1; return bytes; }, /not the one its contract was sealed with|damaged/],
    [null, /missing on the server/],
  ]) {
    const { context, page } = await open(browser, server.url, { serviceWorkers: "block" });
    await page.route("**/model/*", async (route) => {
      if (change === null) return route.fulfill({ status: 404, body: "none" });
      return route.fulfill({ body: Buffer.from(change(bytesOf(fixture(`site/${jsonOf(fixture("site/site.json")).model.file}`)))) });
    });
    await visit(page, server.url, ["failed"]);
    assert.match(await text(page, "problem-told"), says);
    assert.equal(await page.locator("#result").isVisible(), false);
    await context.close();
  }
});

test("a browser that computes wrongly is refused", async () => {
  const { context, page } = await open(browser, server.url, { serviceWorkers: "block" });
  const golden = JSON.stringify(jsonOf(repository("tests/golden/golden.json")).artifacts.find((one) => one.target === "onnx-int8").golden.logits);
  assert.ok(golden.length > 0);
  await page.route("**/assets/worker-*.js", async (route) => {
    const body = readFileSync(fixture(`site/${new URL(route.request().url()).pathname.slice(1)}`), "utf8");
    return route.fulfill({ contentType: "text/javascript", body: `const whole = Math.fround; Math.fround = (value) => whole(value) + 3;\n${body}` });
  });
  await visit(page, server.url, ["failed"]);
  assert.match(await text(page, "problem-told"), /does not compute the network as it should: on its test picture [1-9]\d* pixels differ, and \d+ may/);
  await context.close();
});

test("a browser without WebAssembly SIMD is told so", async () => {
  const { context, page } = await open(browser, server.url, { serviceWorkers: "block" });
  await page.route("**/assets/worker-*.js", async (route) => {
    const body = readFileSync(fixture(`site/${new URL(route.request().url()).pathname.slice(1)}`), "utf8");
    return route.fulfill({ contentType: "text/javascript", body: `WebAssembly.validate = () => false;\n${body}` });
  });
  await visit(page, server.url, ["failed"]);
  assert.match(await text(page, "problem-told"), /lacks WebAssembly SIMD/);
  await context.close();
});

test("own code is under 70 kB compressed, whatever runs the network", () => {
  for (const folder of ["site/", "site-litert/"]) {
    const site = fixture(folder);
    const own = readdirSync(new URL("assets/", site)).filter((name) => /\.(js|css)$/.test(name) && !LIBRARY.test(name)).map((name) => `assets/${name}`);
    assert.ok(own.length >= 3, own.join());
    const size = [...own, "index.html", "sw.js"].reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, site)), { level: 9 }).length, 0);
    assert.ok(size < 70_000, `${folder}: ${size} bytes, with fflate, which is in the same files`);
  }
});

test("offline after the first visit, DICOM too, until a new version takes its place", async () => {
  const folder = fixture("site-offline/");
  const { context, page, odd, url } = await offline(browser, fixture("site"), folder);
  const sides = () => page.locator("#canvas").getAttribute("data-sides");
  assert.match(await text(page, "extent"), /of 26 slices/);
  assert.equal(await sides(), "unknown"); // pictures: no letter R stands beside them
  await pick(page, path("dicom"), "folder");
  await page.waitForSelector("#choice[open]");
  await choose(page);
  await until(page, "done");
  assert.equal(flips(await savedMasks(page), wantedMasks("dicom")), 0);
  assert.equal(await sides(), "named");
  assert.equal(await page.evaluate(async () => (await caches.keys()).length), 1);

  const [script, icon] = [new URL("sw.js", folder), new URL("icon.svg", folder)];
  writeFileSync(icon, `${readFileSync(icon, "utf8")}<!-- newer -->`);
  const listed = readFileSync(script, "utf8");
  writeFileSync(script, listed.replace(/"icon.svg": "[0-9a-f]{64}"/, `"icon.svg": "${await core.sha256(bytesOf(icon))}"`));
  for (const file of ["sw.js.gz", "icon.svg.gz"]) rmSync(new URL(file, folder), { force: true });
  const again = await serve(folder, Number(new URL(url).port));
  await visit(page, url);
  await kept(page, "a newer version is there");
  await page.click("#about summary");
  await Promise.all([page.waitForEvent("load"), page.click("#renew")]);
  await until(page, "done");
  assert.equal(await page.evaluate(async () => (await caches.keys()).length), 1);
  assert.deepEqual(odd, []);
  await again.stop();
  await context.close();
});

test("too little storage leaves a page that works online", async () => {
  const { context, page } = await open(browser, server.url);
  const devtools = await context.newCDPSession(page);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: new URL(server.url).origin, quotaSize: 2_000_000 });
  await visit(page, server.url);
  await kept(page, "too little storage");
  assert.match(await text(page, "extent"), /of 26 slices/);
  await context.close();
});

test("a server that is away is told so", async () => {
  const { context, page } = await open(browser, server.url, { serviceWorkers: "block" });
  await page.route("**/site.json", (route) => route.abort());
  await visit(page, server.url, ["failed"]);
  assert.match(await text(page, "problem-told"), /server cannot be reached/);
  await context.close();
});

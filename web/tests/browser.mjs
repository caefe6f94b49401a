// One Chromium, one server of the site as `edgeseg web --serve` has it, and how tests use the page.
import { spawn } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { fileURLToPath } from "node:url";
import * as core from "../generated/core/core.mjs";
import { bytesOf, fixture, repository } from "./files.mjs";
import { unzipSync } from "fflate";

const CANDIDATES = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
export const PYTHON = process.env.PYTHON ?? "python3";
const WAIT = { timeout: 90_000, polling: 50 };

/** Starts Chromium; its WebGL is drawn by the processor. */
export function launch() {
  const executablePath = process.env.CHROMIUM ?? CANDIDATES.find(existsSync);
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"] });
}

/** Serves a folder as `edgeseg web --serve` does. */
export async function serve(folder, port = 0) {
  const code = "import sys; from pathlib import Path; from edgeseg.stages.ship import serve_site; serve_site(Path(sys.argv[1]), port=int(sys.argv[2]), ready=lambda url: print(url, flush=True))";
  const child = spawn(PYTHON, ["-c", code, fileURLToPath(folder), String(port)], { cwd: fileURLToPath(repository("")), stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, PYTHONPATH: fileURLToPath(repository("")) } });
  const url = await new Promise((resolve, reject) => {
    child.stdout.once("data", (data) => resolve(String(data).trim()));
    child.once("exit", (code_) => reject(new Error(`the server ended with ${code_}`)));
  });
  return { url, stop: () => new Promise((resolve) => { child.once("exit", resolve); child.kill("SIGINT"); }) };
}

/** A page, and all it asked of other hosts or said on its console. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1024, height: 640 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  const odd = [];
  context.on("request", (request) => { if (!request.url().startsWith(url) && !request.url().startsWith("blob:")) odd.push(`request: ${request.url().slice(0, 90)}`); });
  page.on("pageerror", (error) => odd.push(`error: ${error.message}`));
  page.on("console", (message) => { if (message.type() === "error") odd.push(`console: ${message.text().slice(0, 200)}`); });
  return { context, page, odd };
}

/** Goes to the page and waits for its first mask, or what else is to come. */
export async function visit(page, url, states = ["done"]) {
  await page.goto(url);
  await until(page, ...states);
}

/** Waits until the page is in one of some states. */
export async function until(page, ...states) {
  await page.waitForFunction((wanted) => wanted.includes(document.documentElement.dataset.state), states, WAIT);
}

/** Waits until the page says that it works offline. */
export async function kept(page, said = "works offline") {
  await page.waitForFunction((text) => document.getElementById("state").textContent.includes(text), said, WAIT);
}

/** A copy of a site in `folder`, visited once, kept by the browser, and visited again with its server stopped. */
export async function offline(browser, site, folder) {
  rmSync(folder, { recursive: true, force: true });
  cpSync(site, folder, { recursive: true });
  const own = await serve(folder);
  const opened = await open(browser, own.url);
  await visit(opened.page, own.url);
  await kept(opened.page);
  await own.stop();
  await visit(opened.page, own.url);
  return { ...opened, url: own.url };
}

/** Opens files, or a folder, through the page's own buttons. */
export async function pick(page, paths, button = "files") {
  await page.evaluate(() => { document.documentElement.dataset.state = "picked"; });
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.click(`#${button}`)]);
  await chooser.setFiles(paths);
}

/** Saves the masks, and gives them as one array of 0 and 1, or of labels, slices from feet to head. */
export async function savedMasks(page) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save-mask")]);
  const name = download.suggestedFilename();
  const bytes = bytesOf(await download.path());
  if (name.endsWith(".nii.gz")) {
    const [sequence] = core.openNifti(name, bytes);
    return joined(Array.from({ length: sequence.shape[0] }, (_, slice) => Uint8Array.from(sequence.plane(slice))));
  }
  const files = unzipSync(bytes);
  return joined(Object.keys(files).sort(core.natural).map((file) => {
    const bytes = files[file];
    const hasPalette = bytes[25] === 3;
    if (hasPalette) bytes[25] = 0; // its numbers, as if they were grey values
    return core.decodePng(file, bytes).values.map((value) => (hasPalette ? value : value / 255));
  }));
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The serious faults that axe finds; the page's policy lets no script in, so it comes by the debugger. */
export async function faults(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.filter((one) => ["serious", "critical"].includes(one.impact)).map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 90)).join(" | ")}`);
}

export const SHOTS = new URL("../generated/screenshots/", import.meta.url);
/** Draws the screen into a file. */
export const shot = (page, name) => page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, SHOTS)), animations: "disabled" });

/** The masks that the runner drew, as tests/fixtures.py wrote them. */
export const wantedMasks = (name) => bytesOf(fixture(`${name}.mask`));

/** How many pixels of two stacks of masks differ; not a number where their sizes do. */
export const flips = (one, other) => (one.length === other.length ? core.flips(one, other) : Number.NaN);

function joined(masks) {
  const all = new Uint8Array(masks.reduce((sum, mask) => sum + mask.length, 0));
  let at = 0;
  for (const mask of masks) {
    all.set(mask, at);
    at += mask.length;
  }
  return all;
}

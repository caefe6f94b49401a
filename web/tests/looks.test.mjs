// What the page looks like from 768 to 1366 pixels, light and dark; axe finds nothing serious; fingers work.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { faults, launch, open, pick, serve, shot, SHOTS, until, visit } from "./browser.mjs";
import { fixture } from "./files.mjs";

let browser;
let server;

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  [browser, server] = await Promise.all([launch(), serve(fixture("site"))]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const [width, height, colorScheme] of [[768, 1024, "light"], [1024, 768, "dark"], [1366, 768, "light"]]) {
  test(`${width} x ${height}, ${colorScheme}`, async () => {
    const { context, page } = await open(browser, server.url, { viewport: { width, height }, colorScheme, serviceWorkers: "block" });
    await visit(page, server.url);
    assert.deepEqual(await faults(page), []);
    const scroll = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(scroll, 0, "nothing lies beyond the right edge");
    const black = await page.evaluate(() => getComputedStyle(document.querySelector(".viewer")).backgroundColor);
    assert.equal(black, "rgb(0, 0, 0)", "the viewer is dark whatever the page is");
    await shot(page, `${width}-${colorScheme}`);
    await context.close();
  });
}

test("the choice of series, and an error", async () => {
  const { context, page } = await open(browser, server.url, { viewport: { width: 1180, height: 820 }, colorScheme: "dark", serviceWorkers: "block" });
  await visit(page, server.url);
  await pick(page, ["Sub01_T1.nii", "Sub01_FLAIR.nii.gz", "Sub01_T1_post.nii"].map((name) => fileURLToPath(fixture(`nifti/${name}`))));
  await page.waitForSelector("#choice[open]");
  assert.deepEqual(await faults(page), []);
  await shot(page, "choice");
  await page.selectOption("#choice select[data-channel=pre]", await page.locator("#choice select[data-channel=flair]").inputValue());
  await page.click("#choose");
  assert.match(await page.locator("#choice-problem").textContent(), /chosen twice/);
  await page.keyboard.press("Escape");
  await until(page, "idle");
  await pick(page, fileURLToPath(fixture("damaged/slice.jpg")));
  await until(page, "failed");
  assert.deepEqual(await faults(page), []);
  await shot(page, "error");
  await context.close();
});

test("a finger on the picture moves to where it touches, and targets are as large as fingers", async () => {
  const { context, page } = await open(browser, server.url, { viewport: { width: 1024, height: 768 }, hasTouch: true, serviceWorkers: "block" });
  await visit(page, server.url);
  const before_ = await page.locator("#pixel").textContent();
  const box = await page.locator("#canvas").boundingBox();
  const devtools = await context.newCDPSession(page);
  const touchPoints = [{ x: box.x + box.width * 0.25, y: box.y + box.height * 0.4 }];
  await devtools.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints });
  await page.waitForTimeout(200);
  await devtools.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await page.waitForFunction((told) => document.getElementById("pixel").textContent !== told, before_, { polling: 50 });
  await page.locator("#outline label").nth(1).tap();
  assert.equal(await page.locator("#outline input[value=filled]").isChecked(), true);
  const small = await page.evaluate(() => Array.from(document.querySelectorAll("button, select, .segments span")).filter((one) => one.offsetParent && one.getBoundingClientRect().height < 44).map((one) => one.textContent));
  assert.deepEqual(small, []);
  await context.close();
});

// How far a scan and its mask are to be believed, in Chromium: what Python is told of the same scan, and nothing of lone slices.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { faults, flips, launch, open, pick, savedMasks, serve, shot, SHOTS, until, visit, wantedMasks } from "./browser.mjs";
import { bytesOf, fixture, jsonOf } from "./files.mjs";

const path = (name) => fileURLToPath(fixture(name));
const text = (page, id) => page.locator(`#${id}`).textContent();
const SCAN = ["nifti/Sub01_T1.nii", "nifti/Sub01_FLAIR.nii.gz", "nifti/Sub01_T1_post.nii"];
let browser;

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  browser = await launch();
});
after(() => browser?.close());

for (const [name, look] of [["sure", false], ["doubted", true]]) {
  describe(`a network by whose numbers masks are ${name}`, () => {
    let server;
    let context;
    let page;
    let odd;
    before(async () => {
      server = await serve(fixture(`site-${name}`));
      ({ context, page, odd } = await open(browser, server.url, { viewport: { width: 1366, height: 768 }, serviceWorkers: "block" }));
      await visit(page, server.url);
    });
    after(async () => {
      await context?.close();
      await server?.stop();
    });

    test("a scan has its volume's interval, the expected overlap and whether to look at it, as in Python", async () => {
      const told = jsonOf(fixture("trust.json"))[name];
      await pick(page, SCAN.map(path));
      await page.waitForSelector("#choice[open]");
      await page.click("#choose");
      await until(page, "done");
      assert.equal(flips(await savedMasks(page), wantedMasks("nifti")), 0);
      const [volume, ...ends] = [told.volume_ml, ...told.between_ml].map((one) => one.toFixed(told.volume_ml < 10 ? 2 : 1));
      assert.deepEqual([await text(page, "volume"), await text(page, "between")], [`${volume} mL`, `[${ends.join(", ")}]`]);
      assert.equal(await text(page, "overlap"), told.dice_expected.toFixed(2));
      assert.equal(await text(page, "estimate"), "A statistical estimate, fitted on 88 patients; in 90\u00a0% of them the volume lay in the brackets.");
      assert.equal(await page.locator("#look").isVisible(), look);
      assert.equal(await text(page, "look"), look ? `Look at this one: ${told.why}.` : "");
      assert.match(await text(page, "facts"), /Tells of a maskexpected overlap and the volume's interval \(90\u00a0% of patients\), fitted on 88 patients of kaggle-lgg/);
      assert.deepEqual(await faults(page), []);
    });

    test("each row of the table says it too", async () => {
      const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save-csv")]);
      const rows = new TextDecoder().decode(bytesOf(await download.path())).trim().split("\r\n");
      assert.match(rows[0], /,scan_dice_expected,scan_look,scan_why,scan_volume_low_ml,scan_volume_high_ml,scan_odd_input,scan_odd_why$/);
      assert.ok(rows.slice(1).every((row) => row.includes(`,${look},`)));
    });

    test("where the network is unsure can be drawn", async () => {
      await page.locator("#outline label").nth(2).click();
      assert.equal(await page.locator("#outline input[value=unsure]").isChecked(), true);
      await shot(page, `trust-${name}`);
    });

    test("slices that stand alone are told nothing of, and the outline is back", async () => {
      await pick(page, [path("damaged/whole.png")]);
      await until(page, "done");
      for (const id of ["look", "expected", "outline-unsure"]) assert.equal(await page.locator(`#${id}`).isVisible(), false, id);
      assert.equal(await page.locator("#outline input[value=line]").isChecked(), true);
      assert.equal(await text(page, "between"), "");
      assert.deepEqual(odd, []);
    });
  });
}

describe("the shipped network", () => {
  let server;
  let context;
  let page;
  before(async () => {
    server = await serve(fixture("site"));
    ({ context, page } = await open(browser, server.url, { viewport: { width: 1366, height: 768 }, serviceWorkers: "block" }));
    await visit(page, server.url);
  });
  after(async () => {
    await context?.close();
    await server?.stop();
  });

  const [usual, exchanged] = jsonOf(fixture("trust.json")).odd;
  const segmented = async (files) => {
    await pick(page, files);
    await page.waitForSelector("#choice[open]");
    await page.click("#choose");
    await until(page, "done");
  };

  test("a scan whose sequences are exchanged is said to be odd, as in Python, and so is each row of the table", async () => {
    const named = (name, from) => ({ name, mimeType: "application/octet-stream", buffer: readFileSync(path(`nifti/${from}`)) });
    await segmented([named("Sub01_T1.nii.gz", "Sub01_FLAIR.nii.gz"), named("Sub01_FLAIR.nii", "Sub01_T1.nii"), named("Sub01_T1_post.nii", "Sub01_T1_post.nii")]);
    assert.equal(await page.locator("#odd").isVisible(), true);
    assert.equal((await text(page, "odd")).toLowerCase(), `${exchanged}.`.toLowerCase());
    assert.match(await text(page, "facts"), /Tells of a scan\d+ signs that it is unlike what the network learned from, fitted on \d+ patients of kaggle-lgg/);
    assert.deepEqual(await faults(page), []);
    await shot(page, "odd-input");
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save-csv")]);
    const rows = new TextDecoder().decode(bytesOf(await download.path())).trim().split("\r\n");
    assert.ok(rows.slice(1).every((row) => row.includes(",swapped,")));
  });

  test("the same scan as it is is not", async () => {
    assert.equal(usual, null);
    await segmented(SCAN.map(path));
    assert.equal(await page.locator("#odd").isVisible(), false);
    assert.equal(await text(page, "odd"), "");
  });
});

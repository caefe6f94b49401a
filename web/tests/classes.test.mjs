// Networks of one channel and of several classes in Chromium: labels equal to what `edgeseg run` writes, and bad input.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as core from "../generated/core/core.mjs";
import { faults, flips, launch, open, pick, savedMasks, serve, shot, SHOTS, until, visit, wantedMasks } from "./browser.mjs";
import { bytesOf, fixture, jsonOf } from "./files.mjs";

const path = (name) => fileURLToPath(fixture(name));
const scanOf = (name) => readdirSync(fixture(`scan-${name}`)).map((file) => path(`scan-${name}/${file}`));
const text = (page, id) => page.locator(`#${id}`).textContent();
let browser;
let server;
let page;
let odd;

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  browser = await launch();
});
after(() => browser?.close());

/** Tests of one network on a page of its own; whatever they do, an example is segmented afterwards. */
function withNetwork(name, channels, tests) {
  describe(name, () => {
    let context;
    before(async () => {
      server = await serve(fixture(`site-${name}`));
      ({ context, page, odd } = await open(browser, server.url, { viewport: { width: 1366, height: 768 }, colorScheme: "dark", serviceWorkers: "block" }));
      await visit(page, server.url);
    });
    after(async () => {
      await context?.close();
      await server?.stop();
    });

    test("the example is in the network's own channels, and its labels are Python's", async () => {
      assert.match(await text(page, "name"), /Phantom B7/);
      assert.equal(await page.locator("#sequence input").count(), channels);
      assert.equal(await page.locator("#sequence").isVisible(), channels > 1);
      assert.equal(flips(await savedMasks(page), wantedMasks(`example-${name}`)), 0);
    });
    tests();
    test("after all that, an example is segmented as before", async () => {
      await page.click("#cases button:nth-child(2)");
      await until(page, "done");
      assert.match(await text(page, "name"), /Phantom C2/);
      assert.equal(await page.locator("#problem").isVisible(), false);
      assert.deepEqual(odd, []);
    });
  });
}

const saved = async (id) => {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(`#${id}`)]);
  return bytesOf(await download.path());
};
/** The labels in a NIfTI file, slices from feet to head. */
const labels = (bytes) => {
  const [sequence] = core.openNifti("mask.nii.gz", bytes);
  return Array.from({ length: sequence.shape[0] }, (_, slice) => Uint8Array.from(sequence.plane(slice)));
};

/** Holds the saved labels to those that `edgeseg run` wrote for the same scan. */
async function sameAsRun(name, values) {
  await until(page, "done");
  const [written] = readdirSync(fixture(`run-${name}`), { recursive: true }).filter((file) => file.endsWith(".nii.gz"));
  const [found, wanted] = [labels(await saved("save-mask")), labels(bytesOf(fixture(`run-${name}/${written}`)))];
  assert.deepEqual(found.map((plane, slice) => flips(plane, wanted[slice])), wanted.map(() => 0));
  assert.deepEqual([...new Set(wanted.flatMap((plane) => [...new Set(plane)]))].sort(), values);
}

/** Opens what cannot be used, and holds the message to what it has to say. */
async function refused(files, button, says) {
  await pick(page, path(files), button);
  await until(page, "failed");
  assert.match(await text(page, "problem-told"), says);
}

withNetwork("grey", 1, () => {
  test("a volume is opened without a question, and its mask is that of edgeseg run", async () => {
    await pick(page, scanOf("grey"));
    await sameAsRun("grey", [0, 1]);
    assert.equal(await page.locator("#classes").isVisible(), false, "one mask needs no legend");
  });

  test("grey pictures of one folder are a scan", async () => {
    await pick(page, path("grey-pictures/HEAD"), "folder");
    await until(page, "done");
    assert.match(await text(page, "extent"), /4 slices/);
    assert.deepEqual(await faults(page), []);
  });

  test("pictures of three channels are refused", () => refused("pictures/PHANTOM", "folder", /three channels, and the network takes 1 \(T2\)\. Open grey pictures, one per slice/));
  test("JPEG is refused", () => refused("damaged/slice.jpg", "files", /JPEG/));
});

withNetwork("softmax", 2, () => {
  test("facts tell channels and the rule of each class", async () => {
    const facts = await text(page, "facts");
    assert.match(facts, /Looks atFLAIR, T2; grey values: z-score, over the volume/);
    assert.match(facts, /corelabel 2, threshold 0.5; parts under 0.5 of the largest are left out/);
  });

  test("series of other sizes are refused", async () => {
    await pick(page, path("other-sizes"), "folder");
    await page.waitForSelector("#choice[open]");
    await page.click("#choose");
    await until(page, "failed");
    assert.match(await text(page, "problem-told"), /T2 has 3 x 200 x 256 and FLAIR 3 x 256 x 256 slices, rows and columns\. Pictures of all series must agree/);
  });
});

withNetwork("overlapping", 4, () => {
  test("series are told by their names, and the labels on their voxels are those of edgeseg run", async () => {
    await pick(page, scanOf("overlapping"));
    await page.waitForSelector("#choice[open]");
    const chosen = await page.locator("#choice select").evaluateAll((all) => all.map((one) => one.selectedOptions[0].textContent));
    for (const [at, name] of ["Sub02_T1 ", "Sub02_FLAIR", "Sub02_T1_post", "Sub02_T2"].entries()) assert.ok(chosen[at].startsWith(name), chosen.join());
    await page.click("#choose");
    await sameAsRun("overlapping", [0, 1, 2, 3]);
  });

  test("a legend has each class with its colour, volume and parts, and so has the table", async () => {
    const names = ["whole-tumour", "core", "enhancing"];
    const told = await page.locator("#classes li").allTextContents();
    assert.equal(told.length, names.length);
    for (const [at, name] of names.entries()) assert.match(told[at], new RegExp(`^${name}[\\d.]+ mL( \\[[\\d.]+, [\\d.]+\\])?, \\d+ parts?`));
    const colours = await page.locator("#classes .swatch").evaluateAll((all) => all.map((one) => one.style.backgroundColor));
    assert.deepEqual(colours, ["rgb(255, 60, 40)", "rgb(60, 200, 80)", "rgb(70, 130, 255)"]);
    const rows = new TextDecoder().decode(await saved("save-csv")).trim().split("\r\n").map((row) => row.split(","));
    assert.deepEqual(rows[0].slice(2, 11), names.flatMap((name) => [`${name}_pixels`, `${name}_area_mm2`, `${name}_volume_ml`]));
    const total = rows.slice(1).reduce((sum, row) => sum + Number(row[4]), 0);
    assert.ok(told[0].startsWith(`whole-tumour${total.toFixed(total < 10 ? 2 : 1)} mL`), `${told[0]}, ${total}`);
    const findings = await page.locator("#findings button").allTextContents();
    assert.ok(findings.some((one) => /whole-tumour, slices? \d/.test(one)), findings.join());
    assert.deepEqual(await faults(page), []);
    await shot(page, "classes");
  });

  test("of each class of which it is known it is told how far to trust it, and of all together, as in Python", async () => {
    const [{ trust, classes }] = jsonOf(fixture("run-overlapping/summary.json")).patients;
    const wanted = classes.map((one) => {
      const ends = one.trust ? ` [${one.trust.volume_low_ml.toFixed(1)}, ${one.trust.volume_high_ml.toFixed(1)}]` : "";
      const overlap = one.trust ? `expected overlap ${one.trust.dice_expected.toFixed(2)}` : "";
      return `${one.name}${one.volume_ml.toFixed(1)} mL${ends}${overlap}${one.trust?.look ? `Look at this one: ${one.trust.why}.` : ""}`;
    });
    assert.deepEqual(classes.map((one) => one.trust?.look), [false, undefined, true], "the scan has one of each kind");
    const told = await page.locator("#classes li").allTextContents();
    assert.deepEqual(told.map((one) => one.replace(/, \d+ parts?/, "")), wanted);
    assert.deepEqual([await text(page, "look"), await text(page, "overlap"), await text(page, "between")], [`Look at this one: ${trust.why}.`, trust.dice_expected.toFixed(2), ""]);
    assert.equal(await text(page, "estimate"), "The mean of the classes', a statistical estimate, fitted on 88 patients; in 90\u00a0% of them the volume of a class lay in its brackets.");
    assert.match(await text(page, "facts"), /Tells of whole-tumour.*under an overlap of 0\.70Tells of enhancing.*under an overlap of 0\.99/);
    const [head, row] = new TextDecoder().decode(await saved("save-csv")).trim().split("\r\n").map((line) => line.split(","));
    const at = (name) => row[head.indexOf(name)];
    assert.deepEqual([at("scan_look"), at("scan_why")], ["true", trust.why]);
    for (const { name, trust: own } of classes) {
      assert.equal(at(`scan_${name}_look`), own && String(own.look));
      if (own) for (const field of ["dice_expected", "volume_low_ml", "volume_high_ml"]) assert.ok(Math.abs(at(`scan_${name}_${field}`) / own[field] - 1) < 1e-9, field);
    }
  });

  test("a series too few, or one twice, is told before anything is segmented", async () => {
    await pick(page, scanOf("overlapping").filter((file) => !file.includes("T2")));
    await page.waitForSelector("#choice[open]");
    assert.match(await text(page, "choice-hint"), /looks at 4 sequences\. All are needed/);
    await page.click("#choose");
    assert.match(await text(page, "choice-problem"), /Choose which series is T2\./);
    await page.selectOption("#choice select[data-channel=t2]", await page.locator("#choice select[data-channel=flair]").inputValue());
    await page.click("#choose");
    assert.match(await text(page, "choice-problem"), /chosen twice/);
    await page.keyboard.press("Escape");
    await until(page, "idle");
  });

  test("pictures of three channels are refused", () => refused("pictures/PHANTOM", "folder", /three channels, and the network takes 4 \(T1 before contrast, FLAIR, T1 after contrast, T2\)\. Open grey pictures, a folder of them for each channel/));
});

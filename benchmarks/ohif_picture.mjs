// Opens a study in OHIF, then its DICOM SEG, and keeps a picture: node ohif_picture.mjs URL SERIES_NUMBER PICTURE
import { existsSync } from "node:fs";
import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../web/package.json", import.meta.url))("playwright-core");
const CANDIDATES = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium", "/usr/bin/google-chrome"];
const [, , url, series, picture] = process.argv;
const WAIT = { timeout: 120_000 };

const executablePath = process.env.CHROMIUM ?? CANDIDATES.find(existsSync);
const args = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];
const browser = await chromium.launch({ executablePath, args });
const page = await browser.newPage({ viewport: { width: 1000, height: 640 } });
await page.goto(url, WAIT);
const seg = page.locator(`[data-series="${series}"]`).first();
await seg.waitFor(WAIT);
const tour = page.getByText("Skip all");
await tour.first().waitFor({ timeout: 30_000 }).then(() => tour.first().click(), () => undefined);
await seg.dblclick(WAIT);
const question = page.getByText("Yes", { exact: true }).first();
await question.click(WAIT);
await page.waitForFunction(() => !document.body.innerText.includes("Do you want to open this Segmentation"), undefined, WAIT);
await page.waitForTimeout(Number(process.env.SETTLE_MS ?? 15_000));
await page.screenshot({ path: picture });
await browser.close();

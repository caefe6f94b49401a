import type { Mask } from "../core/masks";
import type { Found, Result, Shown } from "../worker/protocol";
import { at, made } from "./page";
import { between, offerUnsure, ratingOf, showOdd, showTrusted } from "./trusted";
import type { Voxel } from "./viewer";

const MOST = 50;

/** Shows what was found, by classes where there are several; a finding leads to its slice. */
export function showResult(result: Result, shown: Shown, masks: readonly Mask[], go: (voxel: Voxel) => void): void {
  const { findings, found } = result;
  const [count] = shown.shape;
  const several = masks.length > 1;
  at("volume").textContent = result.voxels === 0 ? "Nothing" : sized(result.volumeMl, result.voxels);
  at("between").textContent = between(result.trusted, decimals(result.volumeMl));
  showOdd(result);
  showTrusted(result);
  offerUnsure(result.unsure !== null);
  const parts = several ? "" : `, ${partsOf(findings.length)}`;
  at("extent").textContent = result.voxels === 0 ? `in ${slices(count)}` : `${several ? "in all, " : ""}in ${result.slicesWithTumour} of ${slices(count)}${parts}`;
  at("classes").hidden = !several;
  at("classes").replaceChildren(...masks.map((mask, place) => classItem(mask, found[place])));
  at("findings").replaceChildren(...findings.slice(0, MOST).map((one, index) => {
    const button = made("button");
    button.type = "button";
    const range = one.firstSlice === one.lastSlice ? `slice ${one.firstSlice + 1}` : `slices ${one.firstSlice + 1}–${one.lastSlice + 1}`;
    const told = made("strong", `${index + 1}. ${sized(one.ml, one.voxels)}`);
    if (several) told.prepend(swatch(masks[one.mask]));
    button.append(told, made("span", several ? `${masks[one.mask].name}, ${range}` : range));
    button.addEventListener("click", () => go([one.column, one.row, one.slice]));
    const item = made("li");
    item.append(button);
    return item;
  }));
  const more = findings.length > MOST ? [`${findings.length - MOST} smaller parts are not listed.`] : [];
  at("warnings").replaceChildren(...[...result.warnings, ...shown.warnings, ...more].map((text) => made("li", text)));
  at("save-mask").textContent = result.maskFile;
  at("result").hidden = false;
}

/** The colour of a mask as a small square. */
export function swatch({ colour }: Mask): HTMLElement {
  const square = made("i");
  square.className = "swatch";
  square.style.backgroundColor = `rgb(${colour.join(" ")})`;
  return square;
}

function classItem(mask: Mask, found: Found): HTMLElement {
  const item = made("li");
  const told = made("strong", mask.name);
  told.prepend(swatch(mask));
  const size = [sized(found.ml, found.voxels), between(found.trusted, decimals(found.ml))].filter(Boolean).join(" ");
  item.append(told, made("span", found.voxels === 0 ? "nothing" : `${size}, ${partsOf(found.parts)}`), ...ratingOf(found.trusted));
  return item;
}

function sized(millilitres: number | null, voxels: number): string {
  if (millilitres === null) return `${voxels.toLocaleString("en")} pixels`;
  return `${millilitres.toFixed(decimals(millilitres))} mL`;
}

function decimals(millilitres: number | null): number {
  return millilitres !== null && millilitres < 10 ? 2 : 1;
}

function partsOf(count: number): string {
  return `${count} ${count === 1 ? "part" : "parts"}`;
}

function slices(count: number): string {
  return count === 1 ? "1 slice" : `${count} slices`;
}

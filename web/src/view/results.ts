import type { Result, Shown } from "../worker/protocol";
import { at, made } from "./page";
import type { Voxel } from "./viewer";

const MOST = 50;

/** Shows what was found; a finding leads to its slice. */
export function showResult(result: Result, shown: Shown, go: (voxel: Voxel) => void): void {
  const { findings } = result;
  at("volume").textContent = result.voxels === 0 ? "Nothing" : result.volumeMl === null ? `${result.voxels.toLocaleString("en")} pixels` : `${ml(result.volumeMl)} mL`;
  at("extent").textContent = result.voxels === 0 ? `in ${slices(shown.shape[0])}` : `in ${result.slicesWithTumour} of ${slices(shown.shape[0])}, ${findings.length} ${findings.length === 1 ? "part" : "parts"}`;
  at("findings").replaceChildren(...findings.slice(0, MOST).map((one, index) => {
    const button = made("button");
    button.type = "button";
    const size = one.ml === null ? `${one.voxels.toLocaleString("en")} pixels` : `${ml(one.ml)} mL`;
    const range = one.firstSlice === one.lastSlice ? `slice ${one.firstSlice + 1}` : `slices ${one.firstSlice + 1}–${one.lastSlice + 1}`;
    button.append(made("strong", `${index + 1}. ${size}`), made("span", range));
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

function ml(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}

function slices(count: number): string {
  return count === 1 ? "1 slice" : `${count} slices`;
}

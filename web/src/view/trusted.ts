import type { InputLook } from "../core/input-look";
import type { OutputTrust } from "../core/trust";
import type { Result } from "../worker/protocol";
import { at } from "./page";

const percent = (share: number): string => `${Math.round(100 * share)}\u00a0%`;

/** Tells what is odd about the input; nothing where nothing is. */
export function showOdd({ odd }: Result): void {
  at("odd").hidden = odd === null;
  at("odd").textContent = odd?.told ?? "";
}

/** Tells how far the mask is to be believed; nothing where that is not known. */
export function showTrusted({ trusted, voxels }: Result): void {
  const look = trusted?.look ?? false;
  at("look").hidden = !look;
  at("look").textContent = look && trusted ? `Look at this one: ${trusted.why}.` : "";
  const expected = voxels === 0 ? null : (trusted?.diceExpected ?? null);
  at("expected").hidden = expected === null;
  if (expected === null || trusted === null) return;
  at("overlap").textContent = expected.toFixed(2);
  const volume = trusted.betweenMl === null ? "" : `; in ${percent(trusted.coverage)} of them the volume lay in the brackets`;
  at("estimate").textContent = `A statistical estimate, fitted on ${trusted.patients} patients${volume}.`;
}

/** Offers to draw where the network is unsure, where that is known; else goes back from it to the outline. */
export function offerUnsure(known: boolean): void {
  const option = at("outline-unsure");
  option.hidden = !known;
  if (known || !option.querySelector("input")!.checked) return;
  at("outline").querySelector("input")!.checked = true;
  at("outline").querySelector("input")!.dispatchEvent(new Event("change", { bubbles: true }));
}

/** The ends of a volume's interval with as many decimals as the volume has: `[36.0, 51.3]`; empty where there is none. */
export function between({ trusted, voxels }: Result, decimals: number): string {
  const ends = voxels === 0 ? null : (trusted?.betweenMl ?? null);
  return ends === null ? "" : `[${ends.map((one) => one.toFixed(decimals)).join(", ")}]`;
}

/** What the network knows of how far its masks are to be believed, in one sentence. */
export function trustText({ patients, data, look_below, coverage }: OutputTrust): string {
  return `expected overlap and the volume's interval (${percent(coverage)} of patients), fitted on ${patients} patients of ${data}; one is to be looked at under an overlap of ${look_below.toFixed(2)}`;
}

/** What the network knows of what it learned from, in one sentence. */
export function lookText({ signs, patients, data }: InputLook): string {
  return `${signs.length} signs that it is unlike what the network learned from, fitted on ${patients} patients of ${data}`;
}

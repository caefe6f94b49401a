import type { InputLook } from "../core/input-look";
import type { OutputTrust } from "../core/trust";
import type { Result } from "../worker/protocol";
import type { Trusted } from "../worker/trusted";
import { at, made } from "./page";

const percent = (share: number): string => `${Math.round(100 * share)}\u00a0%`;

/** Tells what is odd about the input; nothing where nothing is. */
export function showOdd({ odd }: Result): void {
  at("odd").hidden = odd === null;
  at("odd").textContent = odd?.told ?? "";
}

/** Tells how far the mask is to be believed, or all together; nothing where that is not known. */
export function showTrusted({ trusted, found }: Result): void {
  at("look").hidden = !trusted?.look;
  at("look").textContent = lookAt(trusted);
  const expected = trusted?.diceExpected ?? null;
  at("expected").hidden = expected === null;
  if (expected === null) return;
  at("overlap").textContent = expected.toFixed(2);
  at("estimate").textContent = estimateText(found.flatMap((one) => one.trusted ?? []), found.length > 1);
}

/** Tells how far one of several masks is to be believed; nothing where that is not known. */
export function ratingOf(trusted: Trusted | null): HTMLElement[] {
  const expected = trusted?.diceExpected ?? null;
  const overlap = expected === null ? [] : [made("span", `expected overlap ${expected.toFixed(2)}`)];
  const look = trusted?.look ? [made("em", lookAt(trusted))] : [];
  return [...overlap, ...look];
}

function lookAt(trusted: Trusted | null): string {
  return trusted?.look ? `Look at this one: ${trusted.why}.` : "";
}

function estimateText(rated: readonly Trusted[], several: boolean): string {
  const fitted = `${several ? "The mean of the classes', a" : "A"} statistical estimate, fitted on ${ends(rated.map((one) => one.patients), String)} patients`;
  const sized = rated.filter((one) => one.betweenMl !== null);
  if (sized.length === 0) return `${fitted}.`;
  return `${fitted}; in ${ends(sized.map((one) => one.coverage), percent)} of them the volume ${several ? "of a class lay in its" : "lay in the"} brackets.`;
}

/** The least and the greatest of some numbers, or the one that they all are. */
function ends(values: readonly number[], told: (value: number) => string): string {
  return [...new Set([Math.min(...values), Math.max(...values)])].map(told).join(" to ");
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
export function between(trusted: Trusted | null, decimals: number): string {
  return trusted?.betweenMl ? `[${trusted.betweenMl.map((one) => one.toFixed(decimals)).join(", ")}]` : "";
}

/** What the network knows of how far its masks are to be believed, in one sentence. */
export function trustText({ patients, data, look_below, coverage }: OutputTrust): string {
  return `expected overlap and the volume's interval (${percent(coverage)} of patients), fitted on ${patients} patients of ${data}; one is to be looked at under an overlap of ${look_below.toFixed(2)}`;
}

/** What the network knows of what it learned from, in one sentence. */
export function lookText({ signs, patients, data }: InputLook): string {
  return `${signs.length} signs that it is unlike what the network learned from, fitted on ${patients} patients of ${data}`;
}

import type { Oddity } from "../core/input-judge";
import { ALL_EQUAL, STANDS_IN } from "../files/scan";
import { ONE_VALUE } from "../files/window";

/** What is odd about an input: its kind, as in `Oddity`, and a sentence for a reader. */
export interface OddInput {
  readonly kind: string;
  readonly told: string;
}

/** What remarks on the files say of the same. */
const KNOWN: Readonly<Record<string, readonly string[]>> = { copied: [STANDS_IN, ALL_EQUAL], missing: [ONE_VALUE] };
const MEANS: Readonly<Record<string, string>> = {
  copied: "one sequence seems to be given twice; give the one that is missing where you have it",
  missing: "the sequence is missing; give it, and do not rely on the mask without it",
};
const UNLIKE = "it is unlike what the network learned from, so look at the input first, and do not rely on the mask";

/** Puts what was found into the sentence of `edgeseg run`; null where nothing was, or remarks on the files say it already. */
export function oddInput(found: Oddity | null, remarks: readonly string[]): OddInput | null {
  if (found === null || KNOWN[found.kind]?.some((phrase) => remarks.some((remark) => remark.includes(phrase)))) return null;
  return { kind: found.kind, told: `The input looks odd: ${found.what}; ${MEANS[found.kind] ?? UNLIKE}.` };
}

/** Columns of a table that every slice of a scan repeats; empty where nothing is odd. */
export function oddColumns(odd: OddInput | null): readonly (readonly [string, string])[] {
  return [["scan_odd_input", odd?.kind ?? ""], ["scan_odd_why", odd?.told ?? ""]];
}

import type { OutputTrust } from "../core/trust";
import type { Verdict } from "../core/verdict";

/** How far the mask of a scan is to be believed, with its numbers in their units. */
export interface Trusted extends Pick<Verdict, "diceExpected" | "look" | "because" | "why"> {
  /** Between what the volume lies, in mL; null where distances are unknown or nothing was found. */
  readonly betweenMl: readonly [number, number] | null;
  /** The share of patients whose volume lies there, and how many it was fitted on. */
  readonly coverage: number;
  readonly patients: number;
}

/** Joins what the network's output tells with the volume of the final mask. */
export function trustedOf(verdict: Verdict | null, output: OutputTrust | null, volumeMl: number | null): Trusted | null {
  if (verdict === null || output === null) return null;
  const { diceExpected, look, because, why, factors } = verdict;
  const betweenMl = factors === null || volumeMl === null ? null : ([volumeMl * factors[0], volumeMl * factors[1]] as const);
  return { diceExpected, look, because, why, betweenMl, coverage: output.coverage, patients: output.patients };
}

/** Columns of a table that every slice of a scan repeats; none where there is nothing to tell. */
export function trustColumns(trusted: Trusted | null): readonly (readonly [string, string | number | null])[] {
  if (trusted === null) return [];
  const [low, high] = trusted.betweenMl ?? [null, null];
  return [["scan_dice_expected", trusted.diceExpected], ["scan_look", String(trusted.look)], ["scan_why", trusted.why], ["scan_volume_low_ml", low], ["scan_volume_high_ml", high]];
}

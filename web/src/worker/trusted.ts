import type { Mask } from "../core/masks";
import type { Segmentation } from "../core/segmenter";
import type { OutputTrust } from "../core/trust";
import type { Verdict } from "../core/verdict";

/** How far a mask of a scan is to be believed, or all together, with its numbers in their units. */
export interface Trusted extends Pick<Verdict, "diceExpected" | "look" | "because" | "why"> {
  /** Between what the volume lies, in mL; null where distances are unknown, of an empty mask, and of several together. */
  readonly betweenMl: readonly [number, number] | null;
  /** The share of patients whose volume lies there, and how many it was fitted on. */
  readonly coverage: number;
  readonly patients: number;
}

/** What is told of all masks of a scan together, and of each; null where nothing is. */
export interface Told {
  readonly all: Trusted | null;
  readonly each: readonly (Trusted | null)[];
}

/**
 * Joins what the network's output tells with the final masks: of each how many voxels it holds, and what one has in mL.
 * Where nothing was found of one of several, nothing is told of it: a patient need not have all of them.
 */
export function toldOf({ verdict, verdicts }: Segmentation, masks: readonly Mask[], voxels: readonly number[], ml: number | null): Told {
  const any = voxels.reduce((sum, one) => sum + one, 0);
  const each = masks.map(({ trust }, place) => {
    const own = verdicts[place];
    return own?.because === "nothing-found" ? null : trustedOf(own, trust, voxels[place], ml);
  });
  return { all: trustedOf(verdict, masks.find(({ trust }) => trust)?.trust ?? null, any, ml), each };
}

/** Of an empty mask, whose components were dropped, there is no Dice to expect and no interval. */
function trustedOf(verdict: Verdict | null, output: OutputTrust | null, voxels: number, ml: number | null): Trusted | null {
  if (verdict === null || output === null) return null;
  const { look, because, why, factors } = verdict;
  const betweenMl = factors === null || ml === null || voxels === 0 ? null : ([voxels * ml * factors[0], voxels * ml * factors[1]] as const);
  return { diceExpected: voxels === 0 ? null : verdict.diceExpected, look, because, why, betweenMl, coverage: output.coverage, patients: output.patients };
}

/** Columns of a table that every slice of a scan repeats, behind those of all masks together of each of several; none where there is nothing to tell. */
export function trustColumns({ all, each }: Told, masks: readonly Mask[]): Columns {
  if (all === null) return [];
  const rated = masks.length === 1 ? [] : masks.flatMap(({ name, trust }, place) => (trust ? columnsOf(`scan_${name}`, each[place]) : []));
  return [...columnsOf("scan", all), ...rated];
}

type Columns = readonly (readonly [string, string | number | null])[];

function columnsOf(whose: string, trusted: Trusted | null): Columns {
  const [low, high] = trusted?.betweenMl ?? [null, null];
  return [
    [`${whose}_dice_expected`, trusted?.diceExpected ?? null],
    [`${whose}_look`, trusted && String(trusted.look)],
    [`${whose}_why`, trusted && trusted.why],
    [`${whose}_volume_low_ml`, low],
    [`${whose}_volume_high_ml`, high],
  ];
}

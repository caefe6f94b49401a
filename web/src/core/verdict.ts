import { featuresOf, type OutputCounts } from "./tally";
import type { OutputTrust, TrustFeature, TrustFeatureName } from "./trust";

const END = 50;
const percent = (value: number): string => `${(100 * value).toFixed(0)}%`;
const WHY: Record<TrustFeatureName, (value: number, typical: number) => string> = {
  log_unsure_border: (value, typical) => `the border is unsure: it is ${Math.exp(value).toFixed(1)} pixels wide (${Math.exp(typical).toFixed(1)} is usual)`,
  neighbours: (value, typical) => `neighbouring slices agree by ${percent(value)} alone (${percent(typical)} is usual)`,
};

/** What the network's output tells of its mask of one volume. */
export interface Verdict {
  /** In (0, 1); null where nothing was found, and so are both factors. */
  readonly diceExpected: number | null;
  /** Whether a person should look at this one first. */
  readonly look: boolean;
  /** The feature that speaks against it, `nothing-found`, or empty where `look` is false. */
  readonly because: TrustFeatureName | "nothing-found" | "";
  /** The same in plain words. */
  readonly why: string;
  /** What a volume is multiplied by for the ends of its interval. */
  readonly factors: readonly [number, number] | null;
}

const NOTHING_FOUND: Verdict = {
  diceExpected: null,
  look: true,
  because: "nothing-found",
  why: "no tumour was found, and whether there is none the network's output cannot tell",
  factors: null,
};

/** Tells what a volume's counts mean to a contract's numbers: `edgeseg/trust/judge.py`, step by step. */
export function judge(counts: OutputCounts, trust: OutputTrust): Verdict {
  const values = featuresOf(counts);
  if (values === null) return NOTHING_FOUND;
  const part = ({ name, weight, typical }: TrustFeature): number => weight * (values[name] - typical);
  const score = trust.features.reduce((sum, one) => sum + part(one), trust.intercept);
  const expected = 1 / (1 + Math.exp(-Math.min(Math.max(score, -END), END)));
  const look = score < Math.log(trust.look_below / (1 - trust.look_below));
  const worst = trust.features.reduce((least, one) => (part(one) < part(least) ? one : least));
  const apart = 1 - expected;
  return {
    diceExpected: expected,
    look,
    because: look ? worst.name : "",
    why: look ? WHY[worst.name](values[worst.name], worst.typical) : "",
    factors: [Math.max(0, 1 - trust.volume_low * apart), 1 + trust.volume_high * apart],
  };
}

/** Tells of a patient what the verdicts on several masks say together, by their names; null where nothing is told of any. */
export function joined(verdicts: readonly (readonly [string, Verdict | null])[]): Verdict | null {
  const told = verdicts.flatMap(([name, one]) => (one === null ? [] : [{ ...one, name }]));
  const found = told.flatMap(({ diceExpected: dice, ...one }) => (dice === null ? [] : [{ ...one, dice }]));
  if (found.length === 0) return told.length === 0 ? null : NOTHING_FOUND;
  const [first, ...others] = found.filter((one) => one.look);
  const worst = first && others.reduce((least, one) => (one.dice < least.dice ? one : least), first);
  return {
    diceExpected: found.reduce((sum, one) => sum + one.dice, 0) / found.length,
    look: worst !== undefined,
    because: worst?.because ?? "",
    why: worst ? `${worst.name}: ${worst.why}` : "",
    factors: null,
  };
}

import { featuresOf, type OutputCounts } from "./tally";
import type { OutputTrust, TrustFeature, TrustFeatureName } from "./trust";

const END = 50;
const NOTHING_FOUND = "no tumour was found, and whether there is none the network's output cannot tell";
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

/** Tells what a volume's counts mean to a contract's numbers: `edgeseg/trust/judge.py`, step by step. */
export function judge(counts: OutputCounts, trust: OutputTrust): Verdict {
  const values = featuresOf(counts);
  if (values === null) return { diceExpected: null, look: true, because: "nothing-found", why: NOTHING_FOUND, factors: null };
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

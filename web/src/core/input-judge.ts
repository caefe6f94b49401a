import { inputFeatures } from "./input-features";
import { SIGNS, signOf, type InputLook } from "./input-look";
import { POINTS, type InputTally } from "./input-tally";

const EDGE = 5;
const EQUAL_SHARE = 0.06;

/** What is odd about an input. */
export interface Oddity {
  /** A sign of the contract, or `missing`, `copied` or `empty`. */
  readonly kind: string;
  /** The channels that are meant, where some are. */
  readonly channels: readonly string[];
  /** The same as a clause. */
  readonly what: string;
}

/** Says what is odd about an input, as `edgeseg/trust/input_judge.py`; without a look only what is certain. */
export function inputOddity(tally: InputTally, look: InputLook | null, channels: readonly string[]): Oddity | null {
  if (!tally.shown.includes(true)) return null;
  return certain(tally, channels) ?? (look && sign(tally, look, channels));
}

function certain(tally: InputTally, channels: readonly string[]): Oddity | null {
  const missing = channels.find((_, channel) => !tally.shown[channel]);
  if (missing !== undefined) return { kind: "missing", channels: [missing], what: `'${missing}' holds one value throughout` };
  for (const [one, name] of channels.entries()) {
    const other = channels.findIndex((_, at) => at > one && sameSequence(tally, one, at));
    if (other >= 0) return { kind: "copied", channels: [name, channels[other]], what: `'${name}' and '${channels[other]}' hold the same picture` };
  }
  return null;
}

function sameSequence(tally: InputTally, one: number, other: number): boolean {
  const apart = tally.apart[one][other];
  const deviation = Math.min(tally.deviation(one), tally.deviation(other));
  const total = Math.min(tally.everywhere[one][0], tally.everywhere[other][0]);
  return apart < EQUAL_SHARE * deviation * tally.slices * POINTS && apart < EQUAL_SHARE * total;
}

/** The score of each sign, above 0 where it is there, from all features of a volume. */
export function signScores(found: readonly number[], { features, typical, spread, on, weights, bias }: InputLook): readonly number[] {
  const values = features.map((feature, at) => Math.min(Math.max((found[feature] - typical[at]) / spread[at], -EDGE), EDGE));
  return on.map((places, sign) => places.reduce((score, at, index) => score + weights[sign][index] * values[at], bias[sign]));
}

function sign(tally: InputTally, look: InputLook, channels: readonly string[]): Oddity | null {
  const found = inputFeatures(tally);
  if (found === null) return { kind: "empty", channels: [], what: "nothing in it is brighter than background" };
  let told: number | null = null;
  const away = signScores(found, look).map((score) => (score > 0 ? Math.abs(score - 1) : Infinity));
  for (const [at, one] of away.entries()) if (one < (told === null ? Infinity : away[told])) told = at;
  if (told === null) return null;
  const { kind, numbers } = signOf(look.signs[told]);
  const names = numbers.map((number) => channels[number]);
  return { kind, channels: names, what: SIGNS[kind].replace(/\{(\d)\}/g, (_, at: string) => `'${names[Number(at)]}'`) };
}

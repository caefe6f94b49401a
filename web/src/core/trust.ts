import type { Contract } from "./contract";
import type { Fields } from "./fields";
import { faultOfInput, readInput, type InputLook } from "./input-look";

/** What is measured on the logits of a volume: core/tally.ts. */
export const TRUST_FEATURES = ["log_unsure_border", "neighbours"] as const;
export type TrustFeatureName = (typeof TRUST_FEATURES)[number];

/** One feature's part in the logit of the expected Dice: `weight * (value - typical)`. */
export interface TrustFeature {
  readonly name: TrustFeatureName;
  readonly weight: number;
  readonly typical: number;
}

/** What the network's output tells of its mask of a volume, or of one of its masks. */
export interface OutputTrust {
  /** Probabilities in order: above which a pixel might be tumour, whose mask has the border, above which it surely is. */
  readonly low: number;
  readonly middle: number;
  readonly high: number;
  readonly intercept: number;
  readonly features: readonly TrustFeature[];
  /** The expected Dice below which a volume is to be looked at. */
  readonly look_below: number;
  /** Half widths of the volume's interval, in units of 1 less the expected Dice. */
  readonly volume_low: number;
  readonly volume_high: number;
  /** The share of patients whose volume lies in the interval. */
  readonly coverage: number;
  /** What makes calibrated probabilities of logits: `slope * logit + offset`. */
  readonly slope: number;
  readonly offset: number;
  readonly threshold: number;
  readonly patients: number;
  readonly groups: number;
  readonly network: string;
  readonly data: string;
}

/** What tells that a mask may be wrong, from what the network gave and from what it was given. */
export interface Trust {
  readonly output: OutputTrust | null;
  readonly input: InputLook | null;
}

const NEAREST = 1e-15;
const GREATEST = 1e6;
/** Between what values a feature lies: the logarithm of a width in pixels, and a share. */
const VALUES: Readonly<Record<TrustFeatureName, readonly [number, number]>> = { log_unsure_border: [-20, 20], neighbours: [0, 1] };

/** Reads the field `trust` of a contract. */
export function readTrust(given: Fields): Trust {
  const output = given.has("output") ? readOutput(given.object("output")) : null;
  const input = given.has("input") ? readInput(given.object("input")) : null;
  given.done();
  if (output === null && input === null) given.fail("holds nothing");
  return { output, input };
}

/** Reads the field `trust.output` of a contract, or `trust` of one of its regions. */
export function readOutput(given: Fields): OutputTrust {
  const found = {
    low: given.number("low"),
    middle: given.number("middle"),
    high: given.number("high"),
    intercept: given.number("intercept"),
    features: given.objects("features").map(readFeature),
    look_below: given.number("look_below"),
    volume_low: given.number("volume_low"),
    volume_high: given.number("volume_high"),
    coverage: given.number("coverage"),
    slope: given.number("slope"),
    offset: given.number("offset"),
    threshold: given.number("threshold"),
    patients: given.whole("patients"),
    groups: given.whole("groups"),
    network: given.text("network"),
    data: given.text("data"),
  };
  given.done();
  return found;
}

function readFeature(given: Fields): TrustFeature {
  const found = { name: given.one("name", TRUST_FEATURES), weight: given.number("weight"), typical: given.number("typical") };
  given.done();
  return found;
}

/** What is wrong with the fields `trust` of a contract and of its regions, or null: the rules of `edgeseg/specs/trust.py`. */
export function faultOfTrust({ trust, regions, channels }: Contract): string | null {
  if (trust?.output && regions.length > 0) return "its trust.output is for a network of one mask, and there are regions; each of them needs a trust instead";
  const rated = regions.map(({ name, trust: own }) => [`the trust of its region '${name}'`, own] as const);
  const faults = [["its trust.output", trust?.output ?? null] as const, ...rated].map(([whose, output]) => output && faultOfOutput(output, whose));
  return faults.find((fault) => fault !== null) ?? (trust?.input ? faultOfInput(trust.input, channels.length) : null);
}

function faultOfOutput(output: OutputTrust, whose: string): string | null {
  const { low, middle, high, features, patients, groups } = output;
  const names = features.map((one) => one.name);
  const shares = [output.look_below, output.coverage, output.threshold];
  const numbers = [output.intercept, output.volume_low, output.volume_high, output.slope, output.offset, ...features.flatMap((one) => [one.weight, one.typical])];
  const beyond = features.find(({ name, typical }) => !(typical >= VALUES[name][0] && typical <= VALUES[name][1]));
  if (names.length === 0 || new Set(names).size < names.length) return `features of ${whose} are ${names.join(", ") || "none"}; at least one is needed, each once`;
  if (!(low >= NEAREST && low < middle && middle < high && high <= 1 - NEAREST)) {
    return `${whose} has low ${low}, middle ${middle} and high ${high}; probabilities between 0 and 1 in this order are needed`;
  }
  if (!shares.every((value) => value > 0 && value < 1)) return `look_below, coverage or threshold of ${whose} lies not between 0 and 1`;
  if (!numbers.every((value) => Math.abs(value) <= GREATEST)) return `a number of ${whose} is out of range`;
  if (beyond) return `typical of ${beyond.name} of ${whose} is ${beyond.typical}; values of it lie from ${VALUES[beyond.name].join(" to ")}`;
  if (!(output.volume_low >= 0 && output.volume_high >= 0 && output.slope > 0)) return `volume_low, volume_high or slope of ${whose} is too small`;
  if (![output.network, output.data].every(isName)) return `network or data of ${whose} is no name; one line of characters that can be seen is needed, a letter or digit among them`;
  return groups > 0 && groups <= patients ? null : `${whose} has ${patients} patients in ${groups} groups; each group has at least one`;
}

/** Whether a text is a name by the rule of `edgeseg/specs/one_line.py`. */
function isName(text: string): boolean {
  return /^(?:[^\p{C}\p{Z}]| )+$/u.test(text) && text === text.trim() && /[\p{L}\p{N}]/u.test(text);
}

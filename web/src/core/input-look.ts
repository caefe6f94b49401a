import type { Fields } from "./fields";
import { featureCount } from "./input-features";

/** What may be odd about an input, and the clause that says it, names of channels in place of {0} and {1}. */
export const SIGNS: Readonly<Record<string, string>> = {
  swapped: "{0} and {1} look exchanged",
  cycled: "the sequences look as if they were in another order",
  apart: "the sequences do not seem to lie on each other",
  "upside-down": "the head looks upside down (front and back exchanged)",
  turned: "the slices look turned by a quarter, or cut through another axis",
  "cut-out": "much around the brain looks cut away (skull-stripped, or masked)",
  "cut-off": "the head looks cut off by the picture's edge",
  "too-large": "the head looks too large for the picture",
  "too-small": "the head looks too small in the picture",
  "uneven-sides": "left and right look unevenly bright",
  "uneven-front": "the front looks too bright against the back",
  "uneven-back": "the back looks too bright against the front",
  "too-bright": "it looks too bright (the window is too narrow, or a gamma was applied)",
  "too-dark": "it looks too dark (the window is too wide, or a gamma was applied)",
  blurred: "it looks blurred",
  noisy: "it looks noisy",
  inverted: "black and white look exchanged",
  marked: "something white looks painted into the picture",
};
const NAMED: Readonly<Record<string, number>> = { swapped: 2, cycled: 3 };
const [LEAST, GREATEST] = [1e-6, 1e6];

/** What tells that an input is unlike those that the network learned from; of volumes. */
export interface InputLook {
  /** Which of `inputFeatures` are used, by number. */
  readonly features: readonly number[];
  readonly typical: readonly number[];
  readonly spread: readonly number[];
  /** What may be odd: a key of `SIGNS`, and after spaces the numbers of the channels that it names. */
  readonly signs: readonly string[];
  /** Of each sign, places in `features`, as many weights, and what its score begins with. */
  readonly on: readonly (readonly number[])[];
  readonly weights: readonly (readonly number[])[];
  readonly bias: readonly number[];
  readonly patients: number;
  readonly data: string;
}

/** A sign's kind and the numbers of the channels that it names. */
export function signOf(sign: string): { readonly kind: string; readonly numbers: readonly number[] } {
  const [kind, ...numbers] = sign.split(" ");
  return { kind, numbers: numbers.map((number) => (/^(0|[1-9]\d?)$/.test(number) ? Number(number) : NaN)) };
}

/** Reads the field `trust.input` of a contract. */
export function readInput(given: Fields): InputLook {
  const found = {
    features: given.numbers("features"),
    typical: given.numbers("typical"),
    spread: given.numbers("spread"),
    signs: given.texts("signs"),
    on: given.numberLists("on"),
    weights: given.numberLists("weights"),
    bias: given.numbers("bias"),
    patients: given.whole("patients"),
    data: given.text("data"),
  };
  given.done();
  return found;
}

/** What is wrong with the field `trust.input` of a contract of so many channels, or null: the rules of `edgeseg/specs/input_look.py`. */
export function faultOfInput(look: InputLook, channels: number): string | null {
  const { features, typical, spread, signs, on, weights, bias } = look;
  const different = (values: readonly unknown[]): boolean => new Set(values).size === values.length;
  const among = (values: readonly number[], count: number): boolean => different(values) && values.every((value) => Number.isInteger(value) && value >= 0 && value < count);
  if (typical.length !== features.length || spread.length !== features.length) return "features, typical and spread of its trust.input are not as many";
  if (!among(features, featureCount(channels))) return `its trust.input uses features that ${channels} channels do not have, or one twice`;
  if (!spread.every((value) => value >= LEAST && value <= GREATEST)) return "a spread of its trust.input is out of range";
  if (![...typical, ...bias, ...weights.flat()].every((value) => Math.abs(value) <= GREATEST)) return "a number of its trust.input is out of range";
  if ([on, weights, bias].some((one) => one.length !== signs.length) || !different(signs)) return "signs, on, weights and bias of its trust.input are not as many, or a sign is there twice";
  if (look.patients < 1) return `its trust.input has ${look.patients} patients; at least one is needed`;
  const odd = signs.find((sign, at) => {
    const { kind, numbers } = signOf(sign);
    const known = Object.hasOwn(SIGNS, kind) && numbers.length === (NAMED[kind] ?? 0) && among(numbers, channels);
    return !known || on[at].length === 0 || on[at].length !== weights[at].length || !among(on[at], features.length);
  });
  return odd === undefined ? null : `the sign '${odd}' of its trust.input cannot be honoured`;
}

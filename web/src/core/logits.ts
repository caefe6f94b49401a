import type { Contract } from "./contract";
import { UserError } from "./errors";

const SUREST = 2 ** -23;
const OUTSIDE_TOLERANCE = 1e-3;

/**
 * What a network gave as logits, a plane for each mask: as it is, `log(p / (1 - p))` of probabilities, of several classes
 * those of the foreground or of each region (`edgeseg/imaging/logits.py`, step by step). `step` is what one code of an
 * integer output is worth.
 */
export function maskLogits(values: Float32Array, contract: Contract, step: number | null): Float32Array {
  const { classes, regions, output } = contract;
  if (classes.length === 0) return asLogits(values, contract, contract.threshold, step);
  const planes = planesOf(values, contract);
  if (regions.length === 0) return oneLogit(planes, contract, contract.foreground, contract.threshold, step);
  const shared = contract.exclusive || output === "softmax";
  const made = regions.map(({ channels, threshold }) => (shared
    ? oneLogit(planes, contract, channels, threshold, step)
    : asLogits(greatest(planes, channels), contract, threshold, step)));
  const joined = new Float32Array(made.length * made[0].length);
  for (const [place, plane] of made.entries()) joined.set(plane, place * plane.length);
  return joined;
}

function planesOf(values: Float32Array, { classes, height, width, output_layout }: Contract): Float32Array[] {
  const pixels = height * width;
  return classes.map((_, number) => (output_layout === "NCHW"
    ? values.subarray(number * pixels, (number + 1) * pixels)
    : Float32Array.from({ length: pixels }, (__, at) => values[at * classes.length + number])));
}

/** The greatest of the foreground less the greatest of the rest; of a softmax the same of their logarithms. */
function oneLogit(planes: Float32Array[], contract: Contract, foreground: readonly number[], threshold: number, step: number | null): Float32Array {
  const ours = greatest(planes, foreground);
  if (contract.output === "probabilities") return asLogits(ours, contract, threshold, step);
  const rest = greatest(planes, planes.map((_, number) => number).filter((number) => !foreground.includes(number)));
  if (contract.output === "logits") return ours.map((value, at) => value - rest[at]);
  for (const plane of planes) checkProbabilities(plane);
  const least = Math.max(SUREST, (step ?? 0) / 2);
  const log = (p: number): number => Math.log(Math.min(Math.max(p, least), 1));
  return ours.map((value, at) => log(value) - log(rest[at]));
}

function asLogits(values: Float32Array, { output }: Contract, threshold: number, step: number | null): Float32Array {
  if (output === "logits") return values;
  checkProbabilities(values);
  const end = Math.min(Math.max(SUREST, (step ?? 0) / 2), threshold / 2, (1 - threshold) / 2);
  return values.map((value) => {
    const p = Math.min(Math.max(value, end), 1 - end);
    return Math.log(p / (1 - p));
  });
}

function greatest(planes: Float32Array[], numbers: readonly number[]): Float32Array {
  const most = Float32Array.from(planes[numbers[0]]);
  for (const number of numbers.slice(1)) for (let at = 0; at < most.length; at++) if (planes[number][at] > most[at]) most[at] = planes[number][at];
  return most;
}

function checkProbabilities(values: Float32Array): void {
  for (const value of values) {
    if (value < -OUTSIDE_TOLERANCE || value > 1 + OUTSIDE_TOLERANCE) {
      throw new UserError(`The network's contract speaks of probabilities, and it gave ${value.toPrecision(4)}. Its file has to be made anew.`);
    }
  }
}

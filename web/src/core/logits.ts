import type { Contract } from "./contract";
import { UserError } from "./errors";

const SUREST = 2 ** -23;
const OUTSIDE_TOLERANCE = 1e-3;

/**
 * One logit per pixel of what a network gave: as it is, `log(p / (1 - p))` of probabilities, of several classes those of
 * the foreground (`edgeseg/imaging/logits.py`, step by step). `step` is what one code of an integer output is worth.
 */
export function oneLogit(values: Float32Array, contract: Contract, step: number | null): Float32Array {
  if (contract.classes.length === 0) return contract.output === "logits" ? values : ofProbabilities(values, contract, step);
  const pixels = contract.height * contract.width;
  const planes = contract.classes.map((_, number) => (contract.output_layout === "NCHW"
    ? values.subarray(number * pixels, (number + 1) * pixels)
    : Float32Array.from({ length: pixels }, (__, at) => values[at * contract.classes.length + number])));
  const ours = greatest(planes.filter((_, number) => contract.foreground.includes(number)));
  if (contract.output === "probabilities") return ofProbabilities(ours, contract, step);
  const rest = greatest(planes.filter((_, number) => !contract.foreground.includes(number)));
  if (contract.output === "logits") return ours.map((value, at) => value - rest[at]);
  checkProbabilities(values);
  const least = Math.max(SUREST, (step ?? 0) / 2);
  const log = (p: number): number => Math.log(Math.min(Math.max(p, least), 1));
  return ours.map((value, at) => log(value) - log(rest[at]));
}

function ofProbabilities(values: Float32Array, contract: Contract, step: number | null): Float32Array {
  checkProbabilities(values);
  const end = Math.min(Math.max(SUREST, (step ?? 0) / 2), contract.threshold / 2, (1 - contract.threshold) / 2);
  return values.map((value) => {
    const p = Math.min(Math.max(value, end), 1 - end);
    return Math.log(p / (1 - p));
  });
}

function greatest(planes: Float32Array[]): Float32Array {
  const most = Float32Array.from(planes[0]);
  for (const plane of planes.slice(1)) for (let at = 0; at < most.length; at++) if (plane[at] > most[at]) most[at] = plane[at];
  return most;
}

function checkProbabilities(values: Float32Array): void {
  for (const value of values) {
    if (value < -OUTSIDE_TOLERANCE || value > 1 + OUTSIDE_TOLERANCE) {
      throw new UserError(`The network's contract speaks of probabilities, and it gave ${value.toPrecision(4)}. Its file has to be made anew.`);
    }
  }
}

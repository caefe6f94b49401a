import type { Contract, PostProcessing } from "./contract";
import type { OutputTrust } from "./trust";

/** Red, green and blue of regions that name no colour, in their order: those of `edgeseg/specs/region.py`. */
export const COLOURS: readonly (readonly number[])[] = [
  [255, 60, 40], [60, 200, 80], [70, 130, 255], [255, 200, 40], [200, 80, 255], [40, 210, 210], [255, 130, 190], [160, 160, 90],
];
const LONE_COLOUR = [255, 80, 64];
const MAX_LABEL = 255;

/** One of the masks that a network draws. */
export interface Mask {
  /** Empty where there is one mask. */
  readonly name: string;
  readonly label: number;
  readonly colour: readonly number[];
  readonly threshold: number;
  readonly post_processing: PostProcessing;
  /** How far it is to be believed; null where nobody measured it. */
  readonly trust: OutputTrust | null;
}

/** The masks of a contract in their order: its regions, or the one that it draws. */
export function masksOf(contract: Contract): readonly Mask[] {
  const { regions, threshold, post_processing, trust } = contract;
  if (regions.length === 0) return [{ name: "", label: 1, colour: LONE_COLOUR, threshold, post_processing, trust: trust?.output ?? null }];
  return regions.map((one, at) => ({ ...one, colour: one.colour.length ? one.colour : COLOURS[at % COLOURS.length] }));
}

/** What is wrong with the regions of a contract, or null. */
export function faultOfRegions({ regions, classes, exclusive, foreground }: Contract): string | null {
  if (regions.length === 0) return exclusive ? "it says how regions share a pixel, and has none" : null;
  const [names, labels] = [regions.map((one) => one.name), regions.map((one) => one.label)];
  if (regions.length < 2 || new Set(names).size < names.length || new Set(labels).size < labels.length || !names.every(Boolean)) {
    return `its regions are ${names.join(", ")} with labels ${labels.join(", ")}; at least two are needed, each with a name and a label of its own`;
  }
  if (foreground.length) return "it names both foreground and regions";
  const wrong = regions.find((one) => {
    const inside = one.channels.every((channel) => Number.isInteger(channel) && channel >= 0 && channel < classes.length);
    const count = new Set(one.channels).size;
    const look = one.colour.length === 0 || (one.colour.length === 3 && one.colour.every((value) => value >= 0 && value <= 255));
    const rest = !exclusive || count < classes.length;
    return !inside || count === 0 || count < one.channels.length || !rest || !(one.label >= 1 && one.label <= MAX_LABEL) || !(one.threshold > 0 && one.threshold < 1) || !look;
  });
  return wrong === undefined ? null : `its region '${wrong.name}' is out of range`;
}

/** Several masks, plane after plane, as one map of labels; where they overlap the later counts. One mask becomes 0 and its label. */
export function labelMap(planes: Uint8Array, masks: readonly Mask[]): Uint8Array {
  const pixels = planes.length / masks.length;
  const labels = new Uint8Array(pixels);
  for (const [place, { label }] of masks.entries()) {
    for (let at = 0, from = place * pixels; at < pixels; at++, from++) if (planes[from]) labels[at] = label;
  }
  return labels;
}

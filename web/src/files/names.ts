import { UserError } from "../core/errors";

/** A name without its folders and its ending. */
export function stemOf(path: string): string {
  return path.replace(/^.*\//, "").replace(/\.[^.]*$/, "");
}

/** The folders of a path, or an empty text. */
export function folderOf(path: string): string {
  return path.includes("/") ? path.replace(/\/[^/]*$/, "") : "";
}

/** Whether a name is that of a mask beside its slice. */
export function isMask(path: string): boolean {
  return stemOf(path).endsWith("_mask");
}

/** Puts `slice_2` before `slice_10`. */
export function natural(one: string, other: string): number {
  const parts = (text: string): string[] => text.toLowerCase().match(/\d+|\D+/g) ?? [];
  const [a, b] = [parts(one), parts(other)];
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const both = /^\d/.test(a[at]) && /^\d/.test(b[at]);
    const order = both ? Number(a[at]) - Number(b[at]) || a[at].length - b[at].length : a[at] < b[at] ? -1 : a[at] > b[at] ? 1 : 0;
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Whether slices are one volume's by their names: they differ in their last number alone. Refuses a number that is missing. */
export function isVolume(names: readonly string[]): boolean {
  const numbered = names.map((name) => /^(.*?)(\d+)$/.exec(stemOf(name)));
  if (names.length < 2 || numbered.some((one) => one === null || one[1] !== numbered[0]?.[1])) return false;
  const numbers = numbered.map((one) => Number(one?.[2]));
  for (let at = 1; at < numbers.length; at++) {
    if (numbers[at] > numbers[at - 1] + 1) {
      throw new UserError(`Slice ${numbers[at - 1] + 1} is missing between ${numbers[at - 1]} and ${numbers[at]}. A volume needs all of its slices: add it, or open single pictures.`);
    }
  }
  return true;
}

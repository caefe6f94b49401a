import type { Channel } from "../core/contract";

const words = (text: string): Set<string> => new Set(text.split(" "));
const FLAIR = words("flair tflair darkfluid");
const T1 = words("t1 t1w t1wi mprage spgr fspgr bravo vibe lava tfl mp2rage");
const POST = words("post after nach apres dopo contrast contraste contrasto kontrast km gd gad gado gadolinium gadovist dotarem ce t1ce t1c t1gd t1km enhanced delayed");
const PRE = words("pre before native nativ plain unenhanced without ohne sans senza precontrast");
const NEVER = words("dwi adc dti dsc swi tof mra localizer scout survey seg mask label roi perf asl cbf cbv sub subtraction map");

/**
 * What a series is by whole words of its name, such as "Ax FLAIR" or "t1_post"; null where they do not say. A small part
 * of what `edgeseg run` knows: whoever looks at the page can choose otherwise.
 */
export function recognise(name: string): Channel | null {
  const found = name
    .replace(/^sub-?[a-z0-9]+(?=_)/i, "")
    .replace(/w\s*\/\s*o|c\s*-(?=\s|$|\))/gi, " without ")
    .replace(/\+\s*c(?![a-z])|(?<![a-z])c\s*\+/gi, " contrast ")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  const any = (known: Set<string>): boolean => found.some((word) => known.has(word));
  if (any(NEVER)) return null;
  if (any(FLAIR)) return "flair";
  if (any(PRE)) return "pre";
  if (any(POST)) return "post";
  return any(T1) ? "pre" : null;
}

/** Suggests a series for each channel out of names in order; an index, or null. A name that fits twice is left to its reader. */
export function suggest(names: readonly string[]): Record<Channel, number | null> {
  const found = names.map(recognise);
  const first = (channel: Channel): number | null => {
    const at = found.indexOf(channel);
    return at >= 0 && found.lastIndexOf(channel) === at ? at : null;
  };
  const flair = names.length === 1 ? 0 : first("flair");
  return { pre: first("pre"), flair, post: first("post") };
}

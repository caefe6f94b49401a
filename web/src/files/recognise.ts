import type { ChannelSet } from "../core/channels";

const words = (text: string): Set<string> => new Set(text.split(" "));
const FLAIR = words("flair tflair darkfluid");
const T1 = words("t1 t1w t1wi mprage spgr fspgr bravo vibe lava tfl mp2rage");
const T2 = words("t2 t2w t2wi");
const POST = words("post after nach apres dopo contrast contraste contrasto kontrast km gd gad gado gadolinium gadovist dotarem ce t1ce t1c t1gd t1km enhanced delayed");
const PRE = words("pre before native nativ plain unenhanced without ohne sans senza precontrast");
const NEVER = words("dwi adc dti dsc swi tof mra localizer scout survey seg mask label roi perf asl cbf cbv sub subtraction map");

/**
 * What a series is by whole words of its name, such as "Ax FLAIR" or "t1_post"; null where they do not say. A small part
 * of what `edgeseg run` knows: whoever looks at the page can choose otherwise.
 */
export function recognise(name: string): string | null {
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
  return any(T1) ? "pre" : any(T2) ? "t2" : null;
}

/** Names of channels that ask for one of those kinds, in small and without signs. */
const KINDS: Record<string, Set<string>> = {
  pre: words("pre t1 t1n t1w t1wi t1pre t1native t1weighted"),
  flair: words("flair t2f t2flair t2wflair flairt2"),
  post: words("post t1c t1ce t1gd t1gado t1post t1wce t1wgd t1cepost t1contrast"),
  t2: words("t2 t2w t2wi t2weighted"),
};

/** The channel that a series is, by a word of its name that is the channel's own, else by its kind. */
function channelOf(name: string, channels: readonly string[]): string | null {
  const plain = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  const kindOf = (channel: string): string | null => Object.keys(KINDS).find((kind) => KINDS[kind].has(plain(channel))) ?? null;
  if (channels.includes(name)) return name;
  const found = name.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  const own = channels.filter((channel) => kindOf(channel) === null && found.includes(channel.toLowerCase()));
  if (own.length === 1) return own[0];
  const kind = recognise(name);
  return kind === null ? null : (channels.find((channel) => kindOf(channel) === kind) ?? null);
}

/**
 * Suggests a series for each channel out of names in order; an index, or null. A name that fits twice is left to its
 * reader; the volumes of one file are the channels in their order where there are as many.
 */
export function suggest(names: readonly string[], { names: channels, reference }: ChannelSet): (number | null)[] {
  const isOneFile = names.length > 1 && names.every((name, at) => name === `${names[0].slice(0, -1)}${at + 1}` && name.endsWith(`, volume ${at + 1}`));
  if (isOneFile && names.length === channels.length) return [...names.keys()];
  const found = names.map((name) => channelOf(name, channels));
  return channels.map((channel) => {
    if (names.length === 1) return channel === reference ? 0 : null;
    const at = found.indexOf(channel);
    return at >= 0 && found.lastIndexOf(channel) === at ? at : null;
  });
}

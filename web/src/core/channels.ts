import type { Contract } from "./contract";

/** The channels of the networks that ship, as a picture of one slice holds them. */
export const LGG: readonly string[] = ["pre", "flair", "post"];
/** More than an image of sequences has. */
export const MOST_CHANNELS = 8;

/** What a network has to be given: channels by name, the one on whose grid masks lie, and what may stand in for one that is missing. */
export interface ChannelSet {
  readonly names: readonly string[];
  readonly reference: string;
  readonly standIn: string | null;
}

/** The channels of a contract; what it does not say of LGG's channels is as there. */
export function channelsOf(contract: Contract): ChannelSet {
  const names = contract.channels;
  const shipped = names.every((name) => LGG.includes(name)) && names.includes("flair");
  return { names, reference: contract.reference_channel ?? (shipped ? "flair" : names[0]), standIn: contract.stand_in ?? (shipped ? "flair" : null) };
}

/** The channels that a picture of one slice holds: all of LGG's where the network takes no others, else its own. */
export function pictured(contract: Contract): readonly string[] {
  return contract.channels.every((name) => LGG.includes(name)) ? LGG : contract.channels;
}

/** What is wrong with the channels of a contract, or null. */
export function faultOfChannels(contract: Contract): string | null {
  const names = contract.channels;
  const told = names.join(", ");
  if (names.length === 0 || new Set(names).size < names.length || !names.every(Boolean)) return `its channels are ${told || "none"}; each needs a name of its own`;
  if (names.length > MOST_CHANNELS) return `it asks for ${names.length} channels, and this page takes 1 to ${MOST_CHANNELS}`;
  const other = [contract.reference_channel, contract.stand_in].find((name) => name !== null && !names.includes(name));
  return other === undefined ? null : `it names the channel ${other}, and its channels are ${told}`;
}

const KNOWN: Record<string, string> = { pre: "T1 before contrast", flair: "FLAIR", post: "T1 after contrast", t2: "T2" };

/** What a channel is called on the page. */
export function called(channel: string): string {
  return KNOWN[channel] ?? channel;
}

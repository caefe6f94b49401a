import { called } from "../core/channels";
import { at, made } from "./page";

const SHORT: Record<string, string> = { pre: "Pre-contrast", post: "Post-contrast" };

/** Offers the channels of a scan, the one that masks lie on first shown; hidden where there is one. */
export function offerSequences(channels: readonly string[], on: number): void {
  const group = at("sequence");
  group.hidden = channels.length < 2;
  if (group.dataset.channels === channels.join()) return;
  group.dataset.channels = channels.join();
  group.replaceChildren(made("legend", "Sequence"), ...channels.map((name, place) => {
    const label = made("label");
    const input = made("input");
    [input.type, input.name, input.value, input.checked] = ["radio", "sequence", String(place), place === on];
    label.append(input, made("span", SHORT[name] ?? called(name)));
    return label;
  }));
}

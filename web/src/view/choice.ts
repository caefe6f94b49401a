import { called, type ChannelSet } from "../core/channels";
import type { Series } from "../worker/protocol";
import { at, made } from "./page";

/** For each channel the number of a series, or null. */
export type Chosen = (number | null)[];

/** Asks which series is which channel of the network; null where the user leaves it. */
export function askChoice(series: readonly Series[], suggested: Chosen, channels: ChannelSet): Promise<Chosen | null> {
  const dialog = at<HTMLDialogElement>("choice");
  const problem = at("choice-problem");
  problem.hidden = true;
  at("choice-hint").textContent = hint(channels);
  const order = [...channels.names.keys()].sort((one, other) => Number(channels.names[other] === channels.reference) - Number(channels.names[one] === channels.reference));
  const selects = new Map(order.map((place) => [place, select(channels, place, series, suggested[place])]));
  at("choice-series").replaceChildren(...[...selects].map(([place, one]) => {
    const label = made("label", `${called(channels.names[place])} `);
    label.append(one);
    return label;
  }));
  dialog.showModal();
  return new Promise((resolve) => {
    const listening = new AbortController();
    const end = (value: Chosen | null): void => {
      listening.abort();
      dialog.close();
      resolve(value);
    };
    const { signal } = listening;
    at("choose").addEventListener("click", () => {
      const value = channels.names.map((_, place) => number(selects.get(place)?.value ?? ""));
      const fault = faultOf(value, channels);
      if (fault === null) return end(value);
      problem.textContent = fault;
      problem.hidden = false;
    }, { signal });
    at("leave").addEventListener("click", () => end(null), { signal });
    dialog.addEventListener("cancel", () => end(null), { signal });
  });
}

/** What is wrong with a choice, or null. */
export function faultOf(chosen: Chosen, channels: ChannelSet): string | null {
  const taken = chosen.filter((one) => one !== null);
  const missing = channels.names.find((name, place) => chosen[place] === null && isNeeded(name, channels));
  if (missing !== undefined) return `Choose which series is ${called(missing)}.`;
  return new Set(taken).size < taken.length ? "A series is chosen twice. Choose each once." : null;
}

function isNeeded(name: string, { reference, standIn }: ChannelSet): boolean {
  return standIn === null || name === reference || name === standIn;
}

function hint({ names, reference, standIn }: ChannelSet): string {
  if (names.length === 1) return "The network looks at one sequence.";
  const all = `The network looks at ${names.length} sequences.`;
  if (standIn === null) return `${all} All are needed; masks lie on the grid of ${called(reference)}.`;
  return standIn === reference ? `${all} ${called(reference)} is needed; it stands in where one of the others is missing.` : `${all} ${called(standIn)} stands in where one of the others is missing; masks lie on the grid of ${called(reference)}.`;
}

function select(channels: ChannelSet, place: number, series: readonly Series[], suggested: number | null): HTMLSelectElement {
  const name = channels.names[place];
  const none = isNeeded(name, channels) ? "– choose –" : `– none, take ${called(channels.standIn ?? "")} –`;
  const field = made("select");
  field.id = `choose-${place}`;
  field.dataset.channel = name;
  field.replaceChildren(option("", none), ...series.map((one, index) => option(String(index), `${one.name} (${one.detail})`)));
  field.value = suggested === null ? "" : String(suggested);
  return field;
}

function option(value: string, text: string): HTMLOptionElement {
  const element = made("option", text);
  element.value = value;
  return element;
}

function number(text: string): number | null {
  return text === "" ? null : Number(text);
}

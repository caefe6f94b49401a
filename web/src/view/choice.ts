import { CHANNELS, type Channel } from "../core/contract";
import type { Series } from "../worker/protocol";
import { at, made } from "./page";

export type Chosen = Record<Channel, number | null>;

/** Asks which series is which; null where the user leaves it. */
export function askChoice(series: readonly Series[], suggested: Chosen): Promise<Chosen | null> {
  const dialog = at<HTMLDialogElement>("choice");
  const problem = at("choice-problem");
  problem.hidden = true;
  for (const channel of CHANNELS) {
    const none = channel === "flair" ? "– choose –" : "– none, take FLAIR –";
    const select = at<HTMLSelectElement>(`choose-${channel}`);
    select.replaceChildren(option("", none), ...series.map((one, index) => option(String(index), `${one.name} (${one.detail})`)));
    select.value = suggested[channel] === null ? "" : String(suggested[channel]);
  }
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
      const value = Object.fromEntries(CHANNELS.map((channel) => [channel, number(at<HTMLSelectElement>(`choose-${channel}`).value)])) as Chosen;
      const taken = CHANNELS.map((channel) => value[channel]).filter((one) => one !== null);
      const fault = value.flair === null ? "Choose which series is FLAIR." : new Set(taken).size < taken.length ? "A series is chosen twice. Choose each once." : null;
      if (fault === null) return end(value);
      problem.textContent = fault;
      problem.hidden = false;
    }, { signal });
    at("leave").addEventListener("click", () => end(null), { signal });
    dialog.addEventListener("cancel", () => end(null), { signal });
  });
}

function option(value: string, text: string): HTMLOptionElement {
  const element = made("option", text);
  element.value = value;
  return element;
}

function number(text: string): number | null {
  return text === "" ? null : Number(text);
}

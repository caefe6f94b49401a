import { channelsOf } from "../core/channels";
import { Cancelled, UserError } from "../core/errors";
import type { Segmentation } from "../core/segmenter";
import { readFiles } from "../files/given";
import { open } from "../files/open";
import { suggest } from "../files/recognise";
import { sequenceScan, type Scan } from "../files/scan";
import type { Sequence } from "../files/sequence";
import { bench } from "./bench";
import { maskFile, csvFile } from "./files";
import type { Answer, Request } from "./protocol";
import { resultOf } from "./result";
import { shownOf } from "./shown";
import { start, type Started } from "./start";
import { segment } from "../core/segmenter";

let started: Started | null = null;
let series: { name: string; list: Sequence[] } | null = null;
let scan: Scan | null = null;
let found: Segmentation | null = null;
const cancelled = new Set<number>();

function answer(message: Answer, moved: Transferable[] = []): void {
  postMessage(message, { transfer: moved });
}

const BREATH_MS = 30;
/** A page that draws its progress anew for every slice has less time for the slices. */
const TELL_MS = 100;
let breathed = 0;

/** Lets messages come in every now and then, so that a run can be stopped. */
function breathe(): Promise<void> {
  if (performance.now() - breathed < BREATH_MS) return Promise.resolve();
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      breathed = performance.now();
      resolve();
    };
    port2.postMessage(null);
  });
}

async function handle(request: Request): Promise<void> {
  const { id } = request;
  let told = 0;
  const progress = (share: number, what: string): void => {
    if (share < 1 && performance.now() - told < TELL_MS) return;
    told = performance.now();
    answer({ id, kind: "progress", share, what });
  };
  switch (request.kind) {
    case "start":
      started = await start(request, (share) => progress(share, "Loading the network"));
      return answer({ id, kind: "ready", value: started.ready });
    case "open": {
      if (started === null) throw new UserError("The network is not ready yet.");
      const { contract } = started.model;
      [series, scan, found] = [null, null, null];
      const files = await readFiles(request.files, (share) => progress(share, "Reading files"));
      progress(1, "Looking at the files");
      await breathe();
      const opened = await open(files, contract);
      performance.mark("scan read");
      if ("scan" in opened) return show(id, request.name === null ? opened.scan : { ...opened.scan, name: request.name });
      series = { name: request.name ?? opened.name, list: opened.series };
      const detail = (one: Sequence): string => `${one.shape[0]} slices of ${one.shape[1]} × ${one.shape[2]}`;
      const channels = channelsOf(contract);
      const suggested = suggest(opened.series.map((one) => one.name), channels);
      const lone = channels.names.length === 1 && opened.series.length === 1;
      const known = request.name !== null && !suggested.includes(null);
      if (lone || known) return show(id, chosenScan(suggested));
      return answer({ id, kind: "series", name: series.name, series: opened.series.map((one) => ({ name: one.name, detail: detail(one) })), suggested });
    }
    case "choose":
      return show(id, chosenScan(request.chosen));
    case "segment": {
      if (started === null || scan === null) throw new UserError("There is no scan to segment. Open one first.");
      const before = performance.now();
      const { count } = scan;
      found = await segment(started.engine, scan, {
        cancelled: () => cancelled.has(id),
        done: async (slices) => {
          progress(slices / count, `Slice ${slices} of ${count}`);
          await breathe();
        },
      });
      performance.mark("masks");
      const value = resultOf(scan, found, started.model.contract, (performance.now() - before) / 1000);
      return answer({ id, kind: "result", value }, [...value.masks, ...(value.unsure ? [value.unsure] : [])].map((mask) => mask.buffer as ArrayBuffer));
    }
    case "save": {
      if (started === null || scan === null || found === null) throw new UserError("There is no result to save. Segment a scan first.");
      const file = request.what === "csv" ? csvFile(started, scan, found) : maskFile(started, scan, found);
      return answer({ id, kind: "file", ...file }, [file.bytes.buffer]);
    }
    case "bench":
      if (started === null) throw new UserError("The network is not ready yet.");
      return answer({ id, kind: "json", value: await bench(started, request.runs, request.device, { cancelled: () => cancelled.has(id), done: async (share) => {
        progress(share, "Measuring");
        await breathe();
      } }) });
    case "cancel":
      cancelled.add(id);
  }
}

function chosenScan(chosen: readonly (number | null)[]): Scan {
  if (started === null || series === null) throw new UserError("There are no series to choose from. Open a scan first.");
  const { name, list } = series;
  const taken = chosen.filter((one) => one !== null);
  if (new Set(taken).size < taken.length) throw new UserError("One series was chosen twice. Choose each series once.");
  return sequenceScan(name, channelsOf(started.model.contract), chosen.map((one) => (one === null ? null : list[one])));
}

async function show(id: number, opened: Scan): Promise<void> {
  [scan, found] = [opened, null];
  const value = await shownOf(opened, started?.ready.masks.length ?? 1, (share) => (share === 1 ? answer({ id, kind: "progress", share, what: "Preparing slices" }) : undefined), () => cancelled.has(id), breathe);
  scan = value.scan;
  answer({ id, kind: "shown", value: value.shown }, value.shown.volumes.map((volume) => volume.buffer as ArrayBuffer));
}

let queue: Promise<void> = Promise.resolve();
addEventListener("message", ({ data }: MessageEvent<Request>) => {
  if (data.kind === "cancel") {
    cancelled.add(data.id);
    return;
  }
  queue = queue.then(() => handle(data)).catch((error: unknown) => {
    if (error instanceof Cancelled) return answer({ id: data.id, kind: "cancelled" });
    const full = error instanceof RangeError || (error instanceof Error && /memory|allocation/i.test(error.message));
    const message = error instanceof UserError ? error.message : full ? "There is not enough memory for this scan. Close other pages, or open a smaller scan." : `Something went wrong in the page itself (${String(error)}). Load the page again.`;
    answer({ id: data.id, kind: "failed", message, ours: !(error instanceof UserError) });
  });
});

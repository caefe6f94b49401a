import { LGG } from "./core/channels";
import { keepOffline, renew, type Offline } from "./offline";
import { askChoice } from "./view/choice";
import { Client, Failed, Stopped } from "./view/client";
import { chosen, dropped, type Dropped } from "./view/drop";
import { deviceOf, showFacts, stateText } from "./view/facts";
import { at, choiceOf, made, onChoice, save } from "./view/page";
import { showResult } from "./view/results";
import { offerSequences } from "./view/sequences";
import { fetched, readSite, startOf, type Case } from "./view/site";
import { Viewer, type Layout, type Outline, type Voxel } from "./view/viewer";
import type { Ready, Result, Shown } from "./worker/protocol";

/** The page: opens scans, has them segmented, shows what was found. */
export class App {
  readonly #client = new Client();
  readonly #viewer = new Viewer(at("canvas"), (voxel) => this.#moved(voxel));
  #ready: Ready | null = null;
  #offline: Offline = "no";
  #shown: Shown | null = null;
  #result: Result | null = null;
  #at: Voxel = [0, 0, 0];
  #window: [number, number] = [0, 255];
  /** Counts scans that were opened, so that a late answer on an earlier one is dropped. */
  #turn = 0;

  /** Loads the network, lets it check itself, and opens the first example. */
  async start(): Promise<void> {
    this.#listen();
    try {
      const site = await readSite();
      const [first] = site.cases;
      const early = first ? fetched(first) : null;
      const ready = this.#client.ask<"ready">({ kind: "start", ...startOf(site) }, (share, what) => this.#doing(share, what));
      const [answer] = await Promise.all([ready, this.#viewer.load().catch(() => {
        throw new Failed("The picture cannot be drawn: this browser lacks WebGL 2, or the server could not be reached. Try a newer browser.");
      })]);
      this.#ready = answer.value;
      showFacts(answer.value);
      this.#tellState();
      this.#offer(site.cases);
      for (const id of ["files", "folder", "bench"]) at<HTMLButtonElement>(id).disabled = false;
      if (first) await this.#example(first, early);
      else this.#idle("Open a scan to begin.");
    } catch (error) {
      this.#failed(error);
      at("state").textContent = "Not ready";
    }
    await keepOffline((state) => {
      this.#offline = state;
      at("renew").hidden = state !== "renewed";
      this.#tellState();
    });
  }

  #offer(cases: readonly Case[]): void {
    const shipped = this.#known().channels.names.every((name) => LGG.includes(name));
    if (!shipped) at("cases-hint").textContent = "Made-up heads in the channels of this network, nobody's scans. They show how the page works, not how well the network does.";
    at("cases").replaceChildren(...cases.map((one) => {
      const button = made("button", one.title);
      button.type = "button";
      button.addEventListener("click", () => void this.#example(one));
      return button;
    }));
  }

  async #example(one: Case, early: Promise<Blob | null> | null = null): Promise<void> {
    const turn = this.#begin();
    this.#doing(0, "Loading the example");
    try {
      const blob = await (early ?? fetched(one));
      if (blob === null) throw new Failed("The example cannot be loaded from the server. Check the connection and try again.");
      const file = new File([blob], `${one.name}.zip`);
      if (turn === this.#turn) await this.#open([{ path: file.name, file }], one.title, turn);
    } catch (error) {
      if (turn === this.#turn) this.#failed(error);
    }
  }

  #begin(): number {
    this.#client.stop();
    this.#result = null;
    for (const id of ["problem", "result"]) at(id).hidden = true;
    document.documentElement.dataset.state = "busy";
    return ++this.#turn;
  }

  /** Opens files, asks which series is which where that is open, and segments. */
  async #open(files: Dropped[], name: string | null, turn: number): Promise<void> {
    try {
      const progress = (share: number, what: string): void => this.#doing(share, what);
      let opened = await this.#client.ask<"series" | "shown">({ kind: "open", files, name }, progress);
      if (opened.kind === "series") {
        if (turn !== this.#turn) return;
        at("run").hidden = true;
        const answer = await askChoice(opened.series, opened.suggested, this.#known().channels);
        if (answer === null) return this.#idle();
        opened = await this.#client.ask<"shown">({ kind: "choose", chosen: answer }, progress);
      }
      if (turn !== this.#turn) return;
      await this.#segment(turn, opened.value);
    } catch (error) {
      if (turn === this.#turn) this.#failed(error);
    }
  }

  async #show(shown: Shown): Promise<void> {
    this.#shown = shown;
    at("name").textContent = shown.name;
    at("empty").hidden = true;
    const slider = at<HTMLInputElement>("slice");
    slider.max = String(shown.shape[0]);
    for (const id of ["slice", "level", "width", "auto"]) at<HTMLInputElement>(id).disabled = false;
    offerSequences(shown.channels, shown.on);
    const channel = this.#channel();
    this.#setWindow(shown.windows[channel]);
    await this.#viewer.show(shown.volumes[channel], shown.shape, shown.affine, shown.windows[channel], shown.sided);
  }

  /** Segments the open scan; a new one is drawn meanwhile. */
  async #segment(turn: number, shown: Shown | null = null): Promise<void> {
    document.documentElement.dataset.state = "busy";
    at("problem").hidden = true;
    const asked = this.#client.ask<"result">({ kind: "segment" }, (share, what) => this.#doing(share, `Segmenting · ${what}`));
    const [{ value }] = await Promise.all([asked, shown && this.#show(shown)]);
    if (turn !== this.#turn || this.#shown === null) return;
    this.#result = value;
    const { masks } = this.#known();
    showResult(value, this.#shown, masks, (voxel) => this.#viewer.go(voxel));
    await this.#viewer.masks(value.masks, masks.map((mask) => mask.colour), value.unsure);
    const [first] = value.findings;
    if (first) this.#viewer.go([first.column, first.row, first.slice]);
    at("run").hidden = true;
    document.documentElement.dataset.state = "done";
    performance.mark("mask");
  }

  #idle(told = ""): void {
    at("run").hidden = true;
    if (told) at("empty").textContent = told;
    document.documentElement.dataset.state = "idle";
  }

  #failed(error: unknown): void {
    at("run").hidden = true;
    const stopped = error instanceof Stopped;
    at("problem-told").textContent = stopped ? "It was stopped before it was done." : error instanceof Error && error instanceof Failed ? error.message : "Something went wrong in the page itself. Load the page again.";
    at("problem").querySelector("h2")!.textContent = stopped ? "Stopped" : "This did not work";
    at("again").hidden = this.#shown === null || !stopped;
    at("problem").hidden = false;
    if (this.#shown === null) at("empty").textContent = "No scan is open.";
    document.documentElement.dataset.state = stopped ? "stopped" : "failed";
  }

  #doing(share: number, what: string): void {
    at("run").hidden = false;
    at("doing").textContent = what;
    at<HTMLProgressElement>("progress").value = share;
  }

  #tellState(): void {
    at("state").textContent = stateText(this.#ready, this.#offline);
  }

  #moved(voxel: Voxel): void {
    this.#at = voxel;
    const shown = this.#shown;
    if (shown === null) return;
    const [column, row, slice] = voxel;
    const [, height, width] = shown.shape;
    at<HTMLInputElement>("slice").value = String(slice + 1);
    at("slice-told").textContent = `${slice + 1} of ${shown.shape[0]}`;
    const place = (slice * height + row) * width + column;
    const grey = shown.volumes[this.#channel()][place];
    const names = this.#result?.masks.flatMap((mask, at) => (mask[place] === 1 ? [this.#known().masks[at].name] : [])) ?? [];
    const inside = names.length === 0 ? "" : ` · inside ${names.filter(Boolean).join(", ") || "the mask"}`;
    at("pixel").textContent = `Column ${column + 1}, row ${row + 1}: grey value ${grey}${inside}`;
  }

  /** The network, which is ready once a scan can be opened. */
  #known(): Ready {
    if (this.#ready === null) throw new Error("the network is not ready");
    return this.#ready;
  }

  /** The number of the channel that is looked at. */
  #channel(): number {
    return Number(choiceOf("sequence"));
  }

  #setWindow([low, high]: readonly [number, number]): void {
    this.#window = [low, high];
    at<HTMLInputElement>("level").value = String(Math.round((low + high) / 2));
    at<HTMLInputElement>("width").value = String(high - low);
  }

  #listen(): void {
    const pick = (button: string, input: string): void => {
      const field = at<HTMLInputElement>(input);
      at(button).addEventListener("click", () => field.click());
      field.addEventListener("change", () => {
        const files = chosen(field);
        field.value = "";
        if (files.length) void this.#open(files, null, this.#begin());
      });
    };
    pick("files", "pick-files");
    pick("folder", "pick-folder");
    this.#listenToDrops();
    onChoice("sequence", () => {
      if (this.#shown === null) return;
      const channel = this.#channel();
      this.#setWindow(this.#shown.windows[channel]);
      this.#viewer.swap(this.#shown.volumes[channel], this.#window);
      this.#moved(this.#at);
    });
    onChoice("layout", (value) => this.#viewer.arrange(value as Layout));
    onChoice("outline", (value) => this.#viewer.outline(value as Outline));
    at("slice").addEventListener("input", () => this.#viewer.go([this.#at[0], this.#at[1], Number(at<HTMLInputElement>("slice").value) - 1]));
    const slide = (): void => {
      const [level, width] = [Number(at<HTMLInputElement>("level").value), Number(at<HTMLInputElement>("width").value)];
      this.#window = [level - width / 2, level + width / 2];
      this.#viewer.window(...this.#window);
    };
    for (const id of ["level", "width"]) at(id).addEventListener("input", slide);
    at("auto").addEventListener("click", () => {
      if (this.#shown === null) return;
      this.#setWindow(this.#shown.windows[this.#channel()]);
      this.#viewer.window(...this.#window);
    });
    at("canvas").addEventListener("keydown", (event) => this.#key(event));
    at("stop").addEventListener("click", () => this.#client.stop());
    at("again").addEventListener("click", () => {
      const turn = this.#turn;
      void this.#segment(turn).catch((error: unknown) => this.#failed(error));
    });
    for (const [id, what] of [["save-mask", "masks"], ["save-csv", "csv"]] as const) at(id).addEventListener("click", () => void this.#save(what));
    at("save-png").addEventListener("click", () => void this.#viewer.picture().then((blob) => save("edgeseg.png", blob)));
    at("bench").addEventListener("click", () => void this.#bench());
    at("renew").addEventListener("click", () => void renew());
  }

  #listenToDrops(): void {
    let depth = 0;
    const shade = at("drop");
    const on = (name: "dragenter" | "dragleave" | "dragover" | "drop", heard: (event: DragEvent) => void): void => document.addEventListener(name, heard);
    on("dragenter", (event) => {
      event.preventDefault();
      depth++;
      shade.hidden = false;
    });
    on("dragleave", () => {
      if (--depth <= 0) shade.hidden = true;
    });
    on("dragover", (event) => event.preventDefault());
    on("drop", (event) => {
      event.preventDefault();
      depth = 0;
      shade.hidden = true;
      if (event.dataTransfer === null || this.#ready === null) return;
      const turn = this.#begin();
      void dropped(event.dataTransfer).then((files) => this.#open(files, null, turn));
    });
  }

  #key(event: KeyboardEvent): void {
    const [column, row, slice] = this.#at;
    const to: Voxel | undefined = {
      ArrowUp: [column, row, slice + 1], ArrowDown: [column, row, slice - 1], PageUp: [column, row, slice + 5], PageDown: [column, row, slice - 5],
      ArrowLeft: [column - 1, row, slice], ArrowRight: [column + 1, row, slice],
    }[event.key] as Voxel | undefined;
    if (to === undefined || this.#shown === null) return;
    event.preventDefault();
    this.#viewer.go(to);
  }

  async #save(what: "masks" | "csv"): Promise<void> {
    try {
      const file = await this.#client.ask<"file">({ kind: "save", what });
      save(file.name, new Blob([file.bytes], { type: file.type }));
    } catch (error) {
      this.#failed(error);
    }
  }

  async #bench(): Promise<void> {
    const told = at("bench-told");
    try {
      const { value } = await this.#client.ask<"json">({ kind: "bench", runs: Number(at("bench").dataset.runs), device: deviceOf() }, (share) => (told.textContent = `Measuring: ${Math.round(share * 100)} %`));
      const { cells } = value as { cells: { p50_ms: number }[] };
      const [exact, fast] = cells.map((cell) => `${cell.p50_ms.toFixed(0)} ms`);
      told.textContent = fast === undefined ? `A slice takes ${exact}. The table was saved.` : `A slice with a finding takes ${exact}, another ${fast}. The table was saved.`;
      save("edgeseg-bench.json", new Blob([JSON.stringify(value, null, 1)], { type: "application/json" }));
    } catch (error) {
      told.textContent = error instanceof Stopped ? "Stopped." : error instanceof Error ? error.message : "It could not be measured.";
    }
  }
}

import type { Answer, Request } from "../worker/protocol";

/** Told while a request is under way. */
export type Progress = (share: number, what: string) => void;
type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;
type Final = Exclude<Answer, { kind: "progress" | "failed" | "cancelled" }>;

/** An error that the worker answered with; `ours` where it is the page's own fault. */
export class Failed extends Error {
  override name = "Failed";
}

/** Thrown out of a request that was stopped. */
export class Stopped extends Error {
  override name = "Stopped";
}

/** The worker, asked by promises; one request after another. */
export class Client {
  readonly #worker = new Worker(new URL("../worker/worker.ts", import.meta.url), { type: "module" });
  readonly #waiting = new Map<number, { resolve: (answer: Final) => void; reject: (error: Error) => void; progress: Progress }>();
  #last = 0;

  constructor() {
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => this.#take(data));
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      for (const { reject } of this.#waiting.values()) reject(new Failed("A part of the page could not be loaded or stopped working. Load the page again."));
      this.#waiting.clear();
    });
  }

  /** Asks for something, and gives the answer of the kind that is expected. */
  ask<K extends Final["kind"]>(request: WithoutId<Request>, progress: Progress = () => undefined): Promise<Extract<Final, { kind: K }>> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (answer: Final) => void, reject, progress });
      this.#worker.postMessage({ ...request, id });
    });
  }

  /** Stops whatever is under way. */
  stop(): void {
    for (const id of this.#waiting.keys()) this.#worker.postMessage({ kind: "cancel", id });
  }

  #take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    if (answer.kind === "progress") return waiting.progress(answer.share, answer.what);
    this.#waiting.delete(answer.id);
    if (answer.kind === "failed") waiting.reject(new Failed(answer.message));
    else if (answer.kind === "cancelled") waiting.reject(new Stopped());
    else waiting.resolve(answer);
  }
}

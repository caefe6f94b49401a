import { Cancelled } from "../core/errors";
import { pictured } from "../core/channels";
import { asSlice, draw } from "../core/golden";
import { ownTables } from "../core/intensity";
import { Preparer } from "../core/prepare";
import { inPasses } from "../core/mirrored";
import type { Device } from "./protocol";
import type { Session } from "./runtime";
import type { Started } from "./start";

const WARMUP = 10;

/** Single-slice latency from bytes to logits of each session, in the schema of `edgeseg bench`: docs/reference/bench.md. */
export async function bench(started: Started, runs: number, device: Device, hooks: { cancelled: () => boolean; done: (share: number) => Promise<void> }): Promise<unknown> {
  const { model, ready, runtime, sessions } = started;
  const { contract } = model;
  const { height, width } = contract;
  const channels = pictured(contract).length;
  const bytes = contract.golden === null ? new Uint8Array(height * width * channels) : asSlice(draw(contract.golden, height, width), channels);
  const planes = new Preparer(contract).prepare({ height, width, bytes }, [height, width]);
  const tables = ownTables(contract, planes);
  const opened: { engine: Session; loadMs: number; times: number[] }[] = [];
  try {
    for (const session of sessions) {
      const before = performance.now();
      const engine = await session.again();
      opened.push({ engine, loadMs: performance.now() - before, times: [] });
    }
    for (let run = 0; run <= WARMUP + runs; run++) {
      for (const { engine, times } of opened) {
        if (hooks.cancelled()) throw new Cancelled();
        const before = performance.now();
        await inPasses(engine, planes, tables);
        times.push(performance.now() - before);
      }
      await hooks.done((run + 1) / (WARMUP + runs + 1));
    }
  } finally {
    for (const { engine } of opened) await engine.close();
  }
  const cells = opened.map(({ engine, loadMs, times }) => {
    const sorted = times.slice(WARMUP + 1).sort((a, b) => a - b);
    return {
      file: `model.${runtime.format}`, format: runtime.format, size_bytes: ready.sizeBytes, sha256: ready.sha256, has_contract: true,
      runtime: ready.runtime, threads: 1, numerics: engine.numerics, runs, warmup_runs: WARMUP,
      p50_ms: percentile(sorted, 50), p90_ms: percentile(sorted, 90), p95_ms: percentile(sorted, 95), p99_ms: percentile(sorted, 99), min_ms: sorted[0],
      variant: ready.network, target: ready.target, accelerator: "wasm", load_ms: loadMs, first_ms: times[0],
    };
  });
  const { browser, ...rest } = device;
  return {
    device: { ...rest, versions: { [runtime.library]: runtime.version, browser } },
    cells, gemm: [], references: [], seed: 0, budget_s: null,
    remarks: ["measured in a browser on the golden drawing; browsers round their clocks", ...(cells.length > 1 ? ["slices with a finding take the exact integer graph, others the default kernels"] : [])],
    schema_version: 1,
  };
}

/** Linear between the two nearest runs, as NumPy has it. */
function percentile(sorted: readonly number[], percent: number): number {
  const at = (percent / 100) * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (at - low);
}

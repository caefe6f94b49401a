import type { Device, Ready } from "../worker/protocol";
import type { Offline } from "../offline";
import { called } from "../core/channels";
import type { Mask } from "../core/masks";
import { at, made } from "./page";
import { lookText, trustText } from "./trusted";

/** What is told of the network. */
export function showFacts(ready: Ready): void {
  const { test } = ready;
  const told = test === null
    ? "the network carries no test picture, so it could not check itself"
    : `passed: ${test.flips} of ${(ready.grid[0] * ready.grid[1]).toLocaleString("en")} pixels differ, ${test.allowed} may${test.fastFlips === null ? "" : `; as slices are looked through first, ${test.fastFlips}`}`;
  const rows: [string, string][] = [
    ["Self-test", told],
    ["Network", `${ready.network}, ${ready.target}, ${(ready.sizeBytes / 1000).toFixed(0)} kB`],
    ["Trained on", ready.trainedOn],
    ["Licence", ready.licence ?? "not stated"],
    ["Computed by", `${ready.runtime}, ${ready.numerics}`],
    ["Looks at", `${ready.channels.names.map(called).join(", ")}; grey values: ${ready.normalisation}`],
    ...ready.masks.map((mask): [string, string] => [mask.name || "Threshold", ruleOf(mask)]),
    ...ready.masks.flatMap(({ name, trust }): [string, string][] => (trust ? [[`Tells of ${name || "a mask"}`, trustText(trust)]] : [])),
    ...(ready.look ? [["Tells of a scan", lookText(ready.look)] satisfies [string, string]] : []),
    ["Fingerprint", ready.sha256.slice(0, 16)],
  ];
  at("facts").replaceChildren(...rows.flatMap(([name, text]) => [made("dt", name), made("dd", text)]));
  at("use").textContent = ready.intendedUse;
}

function ruleOf({ name, label, threshold, post_processing: rule }: Mask): string {
  const small = [rule.min_volume_px > 0 && `under ${rule.min_volume_px} voxels of the network's grid`, rule.min_share > 0 && `under ${rule.min_share} of the largest`].filter(Boolean).join(" or ");
  return `${name ? `label ${label}, threshold ` : ""}${threshold}; ${small ? `parts ${small} are left out` : "every part is kept"}`;
}

/** What the line at the top says. */
export function stateText(ready: Ready | null, offline: Offline): string {
  const checked = ready === null ? "Loading…" : ready.test === null ? "Ready, self-test not possible" : "Ready, self-test passed";
  const kept = { no: "", storing: " · being kept for offline use", yes: " · works offline", full: " · could not be kept for offline use: too little storage", renewed: " · a newer version is there" }[offline];
  return checked + kept;
}

/** What a browser tells of its device. */
export function deviceOf(): Device {
  const agent = navigator.userAgent;
  const os = /Android[ \d.]*|iPhone OS [\d_]+|Mac OS X [\d_]+|Windows NT [\d.]+|CrOS|Linux/.exec(agent)?.[0] ?? "unknown";
  const browser = /(Firefox|Edg|Chrome|Version)\/([\d.]+)/.exec(agent);
  const { deviceMemory } = navigator as { deviceMemory?: number };
  return {
    cpu: "not told by the browser",
    architecture: /aarch64|arm/i.test(agent) ? "aarch64" : /x86_64|Win64|Intel/.test(agent) ? "x86_64" : "unknown",
    cores: navigator.hardwareConcurrency,
    os,
    browser: browser ? `${browser[1].replace("Version", "Safari").replace("Edg", "Edge")} ${browser[2]}` : "unknown",
    memory_bytes: deviceMemory === undefined ? null : deviceMemory * 2 ** 30,
  };
}

import type { Contract } from "./contract";
import { UserError } from "./errors";

/** The SHA-256 of bytes, one part after the other, in hex. */
export async function sha256(...parts: Uint8Array[]): Promise<string> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", joined));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Holds a network's file to the digests of its contract: docs/reference/contract.md, "Digests". One that was not sealed passes. */
export async function checkSeal(model: Uint8Array, text: string, contract: Contract): Promise<void> {
  const own = contract.contract_sha256;
  if (own !== null) {
    const blank = text.replace(`"contract_sha256":"${own}"`, `"contract_sha256":"${"0".repeat(64)}"`);
    if ((await sha256(new TextEncoder().encode(blank))) !== own) {
      throw new UserError("The network's contract was changed after it was sealed, so it cannot be relied on. The network has to be put on the server again.");
    }
  }
  if (contract.content_sha256 === null) return;
  const line = new TextEncoder().encode(text);
  const start = find(model, line, 0);
  if (start < 0 || find(model, line, start + 1) >= 0) {
    throw new UserError("The network's file was written anew after it was sealed. It has to be put on the server again.");
  }
  if ((await sha256(model.subarray(0, start), model.subarray(start + line.length))) !== contract.content_sha256) {
    throw new UserError("The network's file is not the one its contract was sealed with: it is damaged, or mixed up with another. It has to be put on the server again.");
  }
}

function find(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(wanted[0], from); at >= 0 && at + wanted.length <= bytes.length; at = bytes.indexOf(wanted[0], at + 1)) {
    let same = 1;
    while (same < wanted.length && bytes[at + same] === wanted[same]) same++;
    if (same === wanted.length) return at;
  }
  return -1;
}

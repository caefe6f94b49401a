import { unzipSync } from "fflate";
import { UserError } from "../core/errors";

/** One file that was given: its path below what was chosen, and its bytes. */
export interface Given {
  readonly path: string;
  readonly bytes: Uint8Array;
}

const MAX_FILES = 5000;
const MAX_BYTES = 2e9;

/** Reads what a user chose; archives are unpacked, hidden files passed over. */
export async function readFiles(files: readonly { path: string; file: Blob }[], progress: (share: number) => void): Promise<Given[]> {
  const total = files.reduce((sum, one) => sum + one.file.size, 0);
  if (files.length > MAX_FILES || total > MAX_BYTES) throw new UserError(`${files.length} files of ${(total / 1e9).toFixed(1)} GB are too many for a browser; ${MAX_FILES} files and ${MAX_BYTES / 1e9} GB are taken. Choose one examination.`);
  const read: Given[] = [];
  for (const [index, { path, file }] of files.entries()) {
    if (isHidden(path)) continue;
    let bytes: Uint8Array;
    try {
      bytes = new Uint8Array(await file.arrayBuffer());
    } catch {
      throw new UserError(`${path} can no longer be read. Choose it again.`);
    }
    if (isZip(bytes)) read.push(...unzip(path, bytes));
    else read.push({ path, bytes });
    progress((index + 1) / files.length);
  }
  return read;
}

function isHidden(path: string): boolean {
  return path.split("/").some((part) => part.startsWith(".") || part === "__MACOSX" || part === "DICOMDIR" || part === "Thumbs.db");
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

function unzip(path: string, bytes: Uint8Array): Given[] {
  let [sum, count] = [0, 0];
  try {
    const found = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        sum += originalSize;
        if (++count > MAX_FILES || sum > MAX_BYTES) throw new UserError(`${path} holds more than ${MAX_FILES} files or ${MAX_BYTES / 1e9} GB, too much for a browser. Choose one examination.`);
        return !name.endsWith("/") && !isHidden(name);
      },
    });
    return Object.entries(found).map(([name, content]) => ({ path: name, bytes: content }));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path} is a zip archive that cannot be unpacked. Copy it again, or unpack it and choose the folder.`);
  }
}

import { UserError } from "../core/errors";
import type { Given } from "./given";

/** Whether bytes are a DICOM file: `DICM` after a preamble of 128 bytes. */
export function isDicom(bytes: Uint8Array): boolean {
  return bytes.length > 132 && bytes[128] === 0x44 && bytes[129] === 0x49 && bytes[130] === 0x43 && bytes[131] === 0x4d;
}

/**
 * Makes NIfTI files of DICOM files with dcm2niix, which is loaded only now. The files' names are series number and
 * description; ids of patients are compared and kept nowhere.
 */
export async function convertDicom(files: readonly Given[]): Promise<Given[]> {
  const { Dcm2niix } = await import("@niivue/dcm2niix");
  const converter = new Dcm2niix();
  await converter.init();
  try {
    const given = files.map((file, index) => new File([new Uint8Array(file.bytes)], `${index}.dcm`));
    const made = await converter.input(given).b("n").z("n").f("%i~~%s~~%d~~%j").run();
    const found = made.filter((file) => file.name.endsWith(".nii"));
    if (found.length === 0) throw new UserError("No images could be made of these DICOM files. Choose the whole folder of an MRI examination, with all slices of its series.");
    if (new Set(found.map((file) => file.name.split("~~")[0])).size > 1) throw new UserError("These DICOM files are of several patients. Choose the folder of one patient.");
    return await Promise.all(found.map(async (file) => ({ path: title(file.name), bytes: new Uint8Array(await file.arrayBuffer()) })));
  } finally {
    converter.worker?.terminate();
  }
}

/** `~~3~~Ax_FLAIR~~1.2.3_Eq.nii` to `3 Ax FLAIR.nii`. */
function title(name: string): string {
  const [, series, description] = name.split("~~");
  return `${series} ${(description || "no description").replace(/[_/]+/g, " ").trim()}.nii`;
}

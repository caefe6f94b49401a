import { called, channelsOf, pictured } from "../core/channels";
import type { Contract } from "../core/contract";
import { UserError } from "../core/errors";
import { convertDicom, isDicom } from "./dicom";
import type { Given } from "./given";
import { folderOf, isMask, isVolume, natural, stemOf } from "./names";
import { isNifti, openNifti } from "./nifti";
import type { Picture } from "./picture";
import { decodePng, isPng } from "./png";
import { greySequence, pictureScan, type Scan } from "./scan";
import type { Sequence } from "./sequence";
import { decodeTiff, isTiff } from "./tiff";

/** What lies in the files: a scan that is ready, or series to choose from. */
export type Opened = { readonly scan: Scan } | { readonly series: Sequence[]; readonly name: string };

const FOREIGN: Record<string, string> = {
  mgz: "FreeSurfer", mgh: "FreeSurfer", nrrd: "NRRD", nhdr: "NRRD", mha: "MetaImage", mhd: "MetaImage", mnc: "MINC", hdr: "Analyze", img: "Analyze", par: "PAR/REC", rec: "PAR/REC",
};
const TAKEN = "Open NIfTI files (.nii, .nii.gz), the DICOM folder or zip of one examination, or slices as PNG or TIFF.";

/** Finds out what was given, for a network. */
export async function open(files: readonly Given[], contract: Contract): Promise<Opened> {
  if (files.length === 0) throw new UserError(`Nothing to open was found. ${TAKEN}`);
  const empty = files.find((file) => file.bytes.length === 0);
  if (empty) throw new UserError(`${empty.path} is empty (0 bytes). Copy it again from where it came from.`);
  const dicom = files.filter((file) => isDicom(file.bytes));
  if (dicom.length) return series(await convertDicom(dicom), "DICOM examination");
  const nifti = files.filter((file) => isNifti(file.path));
  const pictures = files.filter((file) => isPng(file.bytes) || isTiff(file.bytes));
  if (nifti.length && pictures.length) throw new UserError("Both NIfTI files and pictures were chosen. Choose files of one kind.");
  if (nifti.length) return series(nifti, nifti.length === 1 ? stemOf(stemOf(nifti[0].path)) : folderOf(nifti[0].path) || "NIfTI files");
  if (pictures.length === 0) refuse(files);
  const images = pictures.filter((file) => !isMask(file.path)).sort((one, other) => natural(one.path, other.path));
  if (images.length === 0) throw new UserError("Only masks were chosen (their names end in _mask). Choose the slices themselves.");
  const decoded = images.map((file) => (isPng(file.bytes) ? decodePng : decodeTiff)(file.path, file.bytes));
  const [rgb, wanted] = [decoded.filter((picture) => picture.channels === 3).length, pictured(contract)];
  if (rgb > 0 && rgb < decoded.length) throw new UserError("Both grey pictures and pictures of three channels were chosen. Choose files of one kind.");
  if (rgb > 0 && wanted.length !== 3) {
    const told = contract.channels.map(called).join(", ");
    throw new UserError(`The pictures have three channels, and the network takes ${contract.channels.length} (${told}). Open grey pictures, ${contract.channels.length === 1 ? "one per slice" : "a folder of them for each channel"}, or NIfTI or DICOM files.`);
  }
  if (rgb > 0 || (wanted.length === 1 && decoded.every((picture) => picture.values instanceof Uint8Array))) return { scan: ofPictures(decoded, wanted, channelsOf(contract).reference) };
  return ofGrey(decoded);
}

function series(files: readonly Given[], name: string): Opened {
  const found = files.flatMap((file) => openNifti(file.path, file.bytes));
  const numbers = new Map<string, number>();
  for (const one of found) numbers.set(one.name, (numbers.get(one.name) ?? 0) + 1);
  return { name, series: found.map((one, index) => (numbers.get(one.name) === 1 ? one : { ...one, name: `${one.name} (${index + 1})` })) };
}

function ofPictures(pictures: Picture[], channels: readonly string[], reference: string): Scan {
  const folders = new Set(pictures.map((picture) => folderOf(picture.name)));
  if (folders.size > 1) throw new UserError(`The slices lie in ${folders.size} folders. Choose the folder of one patient.`);
  const sized = new Set(pictures.map((picture) => `${picture.height} x ${picture.width}`)).size === 1;
  const name = [...folders][0].replace(/^.*\//, "") || stemOf(pictures[0].name);
  return pictureScan(name, pictures, sized && isVolume(pictures.map((picture) => picture.name)), channels, Math.max(0, channels.indexOf(reference)));
}

function ofGrey(pictures: Picture[]): Opened {
  const folders = Map.groupBy(pictures, (picture) => folderOf(picture.name));
  const found = [...folders].map(([folder, members]) => {
    if (members.length > 1) isVolume(members.map((picture) => picture.name));
    return greySequence(folder.replace(/^.*\//, "") || stemOf(members[0].name), members);
  });
  return { name: found.length === 1 ? found[0].name : "Grey slices", series: found };
}

function refuse(files: readonly Given[]): never {
  const [first] = files;
  const known = FOREIGN[first.path.replace(/^.*\./, "").toLowerCase()];
  if (known) throw new UserError(`${first.path} is a ${known} file, which is not read. Convert it to NIfTI first.`);
  if (first.bytes[0] === 0xff && first.bytes[1] === 0xd8) throw new UserError(`${first.path} is a JPEG picture, which blurs edges and mixes the sequences. Export the slices as PNG or TIFF.`);
  throw new UserError(`${first.path} is no file that can be read here. ${TAKEN}`);
}

import { labelMap, masksOf } from "../core/masks";
import type { Segmentation } from "../core/segmenter";
import { csv, niftiMask, pngMasks } from "../files/export";
import type { Scan } from "../files/scan";
import { countOf, voxelMl } from "./result";
import { oddColumns, oddInput } from "./odd-input";
import { toldOf, trustColumns } from "./trusted";
import type { Started } from "./start";

interface File {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The masks in the input's own format, several as maps of labels: NIfTI on the voxels of the reference, else one PNG per slice. */
export function maskFile(started: Started, scan: Scan, found: Segmentation): File {
  const { reference } = scan;
  const masks = masksOf(started.model.contract);
  const maps = found.masks.map((planes) => labelMap(planes, masks));
  if (reference?.header !== undefined) {
    return { name: `${safe(scan.name)}_mask.nii.gz`, type: "application/gzip", bytes: niftiMask(reference.header, maps, reference.shape) };
  }
  const shapes = maps.map((_, index) => [scan.slice(index).height, scan.slice(index).width] as const);
  return { name: `${safe(scan.name)}_masks.zip`, type: "application/zip", bytes: pngMasks(scan.sliceNames, shapes, maps, masks, started.ready.intendedUse) };
}

/** One row per slice, with columns for each class, and what drew it. */
export function csvFile(started: Started, scan: Scan, found: Segmentation): File {
  const ml = voxelMl(scan);
  const mm2 = scan.pixelMm === null ? null : scan.pixelMm[0] * scan.pixelMm[1];
  const { ready } = started;
  const names = ready.masks.map((mask) => mask.name || "tumour");
  const pixels = found.masks.map((planes) => {
    const size = planes.length / names.length;
    return names.map((_, place) => countOf(planes.subarray(place * size, (place + 1) * size)));
  });
  const voxels = names.map((_, place) => pixels.reduce((sum, slice) => sum + slice[place], 0));
  const told = [...trustColumns(toldOf(found, ready.masks, voxels, ml), ready.masks), ...oddColumns(oddInput(found.oddity, scan.warnings))];
  const rows = pixels.map((slice, index) => {
    const counted = slice.flatMap((count) => [count, mm2 === null ? null : count * mm2, ml === null ? null : count * ml]);
    return [scan.name, scan.sliceNames[index], ...counted, ready.network, ready.target, ready.sha256, ready.intendedUse, ...told.map(([, value]) => value)];
  });
  const head = ["scan", "slice", ...names.flatMap((name) => [`${name}_pixels`, `${name}_area_mm2`, `${name}_volume_ml`]), "model", "target", "model_sha256", "intended_use", ...told.map(([name]) => name)];
  return { name: `${safe(scan.name)}.csv`, type: "text/csv", bytes: new TextEncoder().encode(csv([head, ...rows])) };
}

function safe(name: string): string {
  return name.replace(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 80) || "scan";
}

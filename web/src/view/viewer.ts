import type { NVImage, Niivue } from "@niivue/niivue";
import { assumedPlace, toMm, toVoxel, viewerNifti, type ToMm } from "./volume";

/** How the scan is laid out. */
export type Layout = "planes" | "axial" | "volume";
/** How the outline is drawn. */
export type Outline = "filled" | "line" | "off" | "unsure";
/** A voxel: column, row, slice from the feet. */
export type Voxel = readonly [number, number, number];

/** How strongly the mask's inside and its edge are drawn. */
const STRENGTH: Record<Outline, readonly [number, number]> = { line: [0.12, 1], filled: [0.5, 0], off: [0, 0], unsure: [0.45, 1] };
/** Yellow, for pixels that the network is unsure of. */
const UNSURE = [255, 220, 60];

/** Three planes and 3-D of one scan with its mask, drawn by NiiVue, which is loaded when the page has begun. */
export class Viewer {
  #nv: Niivue | null = null;
  #module: typeof import("@niivue/niivue") | null = null;
  #place: ToMm = [];
  #shape: readonly [number, number, number] = [1, 1, 1];
  #outline: Outline = "line";
  #layout: Layout = "planes";
  /** What is drawn within the masks' edges: the masks, or where the network is unsure. */
  #inside: readonly [Uint8Array, Uint8Array] | null = null;

  constructor(
    readonly canvas: HTMLCanvasElement,
    readonly moved: (voxel: Voxel) => void,
  ) {}

  /** Loads NiiVue. */
  async load(): Promise<void> {
    if (this.#nv !== null) return;
    this.#module = await import("@niivue/niivue");
    const { Niivue, SHOW_RENDER, DRAG_MODE } = this.#module;
    const nv = new Niivue({
      backColor: [0, 0, 0, 1],
      crosshairColor: [0.35, 0.75, 1, 0.8],
      crosshairWidth: 0.5,
      crosshairGap: 8,
      crosshairWidthUnit: "voxels",
      fontColor: [0.85, 0.88, 0.92, 1],
      fontMinPx: 13,
      isRadiologicalConvention: true,
      isOrientationTextVisible: true,
      isRuler: false,
      multiplanarShowRender: SHOW_RENDER.NEVER,
      multiplanarPadPixels: 4,
      dragMode: DRAG_MODE.contrast,
      dragAndDropEnabled: false,
      loadingText: "",
      logLevel: "error",
      isResizeCanvas: true,
      clipPlaneHotKey: "",
      cycleClipPlaneHotKey: "",
      viewModeHotKey: "",
    });
    nv.onLocationChange = (location) => {
      const { mm } = location as { mm: ArrayLike<number> };
      this.moved(this.#within(toVoxel(this.#place, Array.from(mm))));
    };
    nv.meshShaders = []; // there are no meshes, and to compile what draws them takes a while
    await nv.attachToCanvas(this.canvas);
    this.#nv = nv;
    new ResizeObserver(() => this.arrange(this.#layout)).observe(this.canvas);
  }

  /** Shows a scan: bytes of one sequence, and where its voxels lie; its sides are named where they are known (`sided`). */
  async show(values: Uint8Array, shape: readonly [number, number, number], place: ToMm | null, window: readonly [number, number], sided: boolean): Promise<void> {
    this.#ready().opts.isOrientationTextVisible = sided;
    this.canvas.dataset.sides = sided ? "named" : "unknown";
    this.#shape = shape;
    this.#place = place ?? assumedPlace(shape);
    this.#put([await this.#image(values, "gray", 1, ...window)]);
    this.go([Math.floor(shape[2] / 2), Math.floor(shape[1] / 2), Math.floor(shape[0] / 2)]);
  }

  /** Puts another sequence of the same scan in place. */
  swap(values: Uint8Array, window: readonly [number, number]): void {
    const nv = this.#ready();
    nv.volumes[0].img = values;
    this.window(...window);
  }

  /** Which grey values are black and white. */
  window(low: number, high: number): void {
    const nv = this.#ready();
    if (nv.volumes.length === 0) return;
    nv.volumes[0].cal_min = low;
    nv.volumes[0].cal_max = Math.max(low + 1, high);
    nv.updateGLVolume();
  }

  /**
   * Lays masks of 0 and 1 over the scan, each in its colour; where they overlap the later one is seen. `unsure` is 1 where
   * the network is, null where that is not known.
   */
  async masks(volumes: readonly Uint8Array[], colours: readonly (readonly number[])[], unsure: Uint8Array | null): Promise<void> {
    const nv = this.#ready();
    const count = colours.length + (unsure ? 1 : 0);
    const inside = layered(volumes, count);
    nv.addColormap("mask", colourMap(unsure ? [...colours, UNSURE] : colours) as never);
    this.#inside = [inside, unsure ? layered([unsure], count, colours.length) : inside];
    const [fill, edge] = STRENGTH[this.#outline];
    const edged = layered(volumes.map((one) => edges(one, this.#shape)), count);
    this.#put([nv.volumes[0], await this.#image(this.#filled(), "mask", fill, 0, 255), await this.#image(edged, "mask", edge, 0, 255)]);
  }

  /** How the mask is drawn. */
  outline(outline: Outline): void {
    this.#outline = outline;
    const nv = this.#nv;
    if (nv === null || nv.volumes.length < 3) return;
    for (const [at, strength] of STRENGTH[outline].entries()) nv.volumes[1 + at].opacity = strength;
    nv.volumes[1].img = this.#filled();
    nv.updateGLVolume();
  }

  /** Three planes, axial slices alone, or the volume. */
  arrange(layout: Layout): void {
    this.#layout = layout;
    const { SLICE_TYPE } = this.#loaded();
    const nv = this.#ready();
    if (layout !== "planes") {
      nv.clearCustomLayout();
      nv.setSliceType(layout === "axial" ? SLICE_TYPE.AXIAL : SLICE_TYPE.RENDER);
      return;
    }
    const beside = this.canvas.clientWidth > this.canvas.clientHeight;
    const places = beside ? [[0, 0, 0.62, 1], [0.63, 0, 0.37, 0.5], [0.63, 0.5, 0.37, 0.5]] : [[0, 0, 1, 0.64], [0, 0.65, 0.5, 0.35], [0.5, 0.65, 0.5, 0.35]];
    const types = [SLICE_TYPE.AXIAL, SLICE_TYPE.CORONAL, SLICE_TYPE.SAGITTAL];
    nv.setSliceType(SLICE_TYPE.MULTIPLANAR);
    nv.setCustomLayout(types.map((sliceType, at) => ({ sliceType, position: places[at] as [number, number, number, number] })));
  }

  /** Moves the crosshair to a voxel. */
  go(voxel: Voxel): void {
    const nv = this.#ready();
    const at = this.#within(voxel);
    nv.scene.crosshairPos = nv.mm2frac(toMm(this.#place, at) as never);
    nv.drawScene();
    this.moved(at);
  }

  /** The picture as it stands on the screen, as PNG. */
  async picture(): Promise<Blob> {
    this.#ready().drawScene();
    return new Promise((resolve, reject) => this.canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"));
  }

  /** Puts the scan and its masks in place of what was there, all at once: NiiVue computes every layer anew each time. */
  #put(images: NVImage[]): void {
    const nv = this.#ready();
    nv.volumes = images;
    nv.back = images[0];
    nv.overlays = images.slice(1);
    nv.updateGLVolume();
  }

  #filled(): Uint8Array {
    if (this.#inside === null) throw new Error("there are no masks");
    return this.#inside[this.#outline === "unsure" ? 1 : 0];
  }

  #image(values: Uint8Array, colours: string, opacity: number, low: number, high: number): Promise<NVImage> {
    const { NVImage } = this.#loaded();
    return NVImage.loadFromUrl({
      url: "scan.nii", name: "scan.nii", buffer: viewerNifti(values, this.#shape, this.#place),
      colormap: colours, opacity, cal_min: low, cal_max: high, trustCalMinMax: true, colorbarVisible: false,
    } as never);
  }

  #within([column, row, slice]: Voxel): Voxel {
    const clip = (value: number, size: number): number => Math.min(size - 1, Math.max(0, value));
    return [clip(column, this.#shape[2]), clip(row, this.#shape[1]), clip(slice, this.#shape[0])];
  }

  #loaded(): typeof import("@niivue/niivue") {
    if (this.#module === null) throw new Error("the viewer is not ready");
    return this.#module;
  }

  #ready(): Niivue {
    if (this.#nv === null) throw new Error("the viewer is not ready");
    return this.#nv;
  }
}

/** The byte that stands for mask `place` of `count`: far from its neighbours, so that colours do not run into each other. */
function level(place: number, count: number): number {
  return Math.round((255 * (place + 1)) / count);
}

/** Masks in one volume of `level`s of `count`, from that of place `first` on. */
function layered(volumes: readonly Uint8Array[], count: number, first = 0): Uint8Array {
  const all = new Uint8Array(volumes[0].length);
  for (const [place, volume] of volumes.entries()) {
    const value = level(first + place, count);
    for (let at = 0; at < all.length; at++) if (volume[at]) all[at] = value;
  }
  return all;
}

/** A colour table in which each `level` has its colour for some bytes on either side. */
function colourMap(colours: readonly (readonly number[])[]): Record<"R" | "G" | "B" | "A" | "I", number[]> {
  const map = { R: [0], G: [0], B: [0], A: [0], I: [0] };
  const beside = Math.max(0, Math.floor(255 / colours.length / 2) - 1);
  for (const [place, [red, green, blue]] of colours.entries()) {
    const middle = level(place, colours.length);
    for (const at of new Set([middle - beside, Math.min(255, middle + beside)])) {
      map.R.push(red);
      map.G.push(green);
      map.B.push(blue);
      map.A.push(255);
      map.I.push(at);
    }
  }
  return map;
}

/** The pixels of a mask that lie at its edge within their axial slice. */
function edges(mask: Uint8Array, [, height, width]: readonly [number, number, number]): Uint8Array {
  return mask.map((value, at) => {
    if (value === 0) return 0;
    const [row, column] = [Math.floor(at / width) % height, at % width];
    const inside = row > 0 && row < height - 1 && column > 0 && column < width - 1;
    return inside && mask[at - 1] && mask[at + 1] && mask[at - width] && mask[at + width] ? 0 : 1;
  });
}

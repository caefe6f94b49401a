import { UserError } from "./errors";

/** The metadata property of an ONNX file that holds the contract. */
export const CONTRACT_KEY = "edgeseg.contract";
/** The newest schema that this reader knows. */
export const SCHEMA_VERSION = 3;
/** The channels of a slice as it is read, in that order. */
export const CHANNELS = ["pre", "flair", "post"] as const;
export type Channel = (typeof CHANNELS)[number];
export type Layout = "NCHW" | "NHWC";

/** Which connected components are too small to keep; 0 switches a rule off. */
export interface PostProcessing {
  readonly min_area_px: number;
  readonly min_volume_px: number;
  readonly min_share: number;
}

/** What a normalisation needs to know beside its name. */
export interface Intensity {
  readonly over: "slice" | "volume";
  readonly pixels: "all" | "non-zero";
  readonly zero_stays: boolean;
  readonly together: boolean;
  readonly low: number;
  readonly high: number;
  readonly then: "nothing" | "z-score" | "mean-std";
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The drawing that every device makes for itself, and the mask that this very network drew on it. */
export interface GoldenCase {
  readonly ellipses: readonly (readonly number[])[];
  readonly noise: number;
  readonly blur: number;
  readonly input_sha256: string;
  readonly mask_runs: string;
  readonly mask_sha256: string;
  readonly allowed_flips: number;
  readonly logits: readonly { readonly row: number; readonly column: number; readonly logit: number }[];
  readonly logit_tolerance: number;
}

/** What an artifact says of itself; docs/reference/contract.md has every field, and they have their names there. */
export interface Contract {
  readonly variant: { readonly name: string; readonly alpha: number; readonly stem: string; readonly profile: string; readonly widths: readonly number[] };
  readonly tier: string;
  readonly target: string;
  readonly layout: Layout;
  readonly output_layout: Layout;
  readonly channels: readonly Channel[];
  readonly height: number;
  readonly width: number;
  readonly normalisation: "unit" | "slice" | "mean-std" | "z-score" | "percentile";
  readonly intensity: Intensity | null;
  readonly scale: number;
  readonly output: "logits" | "probabilities" | "softmax";
  readonly classes: readonly string[];
  readonly foreground: readonly number[];
  readonly threshold: number;
  readonly post_processing: PostProcessing;
  readonly trained_on: string;
  readonly licence: string | null;
  readonly intended_use: string;
  readonly golden: GoldenCase | null;
  readonly content_sha256: string | null;
  readonly contract_sha256: string | null;
}

/** The threshold in logit space, `log(t / (1 - t))`, in double precision. */
export function logitThreshold(contract: Contract): number {
  return Math.log(contract.threshold / (1 - contract.threshold));
}

/** Whether the pixels of a whole volume have to be counted before its first slice can be normalised. */
export function byVolume(contract: Contract): boolean {
  return contract.intensity !== null && contract.normalisation !== "mean-std" && contract.intensity.over === "volume";
}

/** Whether a rule is on for volumes, or for lone slices. */
export function applies(rules: PostProcessing, volume: boolean): boolean {
  return volume ? rules.min_volume_px > 0 || rules.min_share > 0 : rules.min_area_px > 0;
}

/** The network's name, as edgeseg's tables have it. */
export function slug(contract: Contract): string {
  const { name, alpha, stem, profile } = contract.variant;
  return `${name}-${alpha}-${stem}${profile === "double" ? "" : `-${profile}`}`;
}

/** Reads a contract from its text. Throws a `UserError` when there is none, or it cannot be read or honoured. */
export function parseContract(text: string | undefined): Contract {
  if (text === undefined) {
    throw new UserError("The network's file does not say how it is to be used (it carries no contract). Another file has to be put on the server.");
  }
  let plain: unknown;
  try {
    plain = JSON.parse(text);
  } catch {
    plain = null;
  }
  const given = new Fields(plain, "contract");
  const version = given.whole("schema_version");
  if (version < 1 || version > SCHEMA_VERSION) {
    throw new UserError(`The network's contract has version ${version}, and this page reads 1 to ${SCHEMA_VERSION}. The page has to be made anew with a newer edgeseg.`);
  }
  const contract = read(given);
  given.done();
  check(contract);
  return contract;
}

function read(given: Fields): Contract {
  const layout = given.one("layout", ["NCHW", "NHWC"] as const);
  const contract: Contract = {
    variant: variant(given.object("variant")),
    tier: given.text("tier"),
    target: given.text("target"),
    layout,
    output_layout: given.has("output_layout") ? given.one("output_layout", ["NCHW", "NHWC"] as const) : layout,
    channels: given.texts("channels") as Channel[],
    height: given.whole("height"),
    width: given.whole("width"),
    normalisation: given.one("normalisation", ["unit", "slice", "mean-std", "z-score", "percentile"] as const),
    intensity: given.has("intensity") ? intensity(given.object("intensity")) : null,
    scale: given.number("scale"),
    output: given.has("output") ? given.one("output", ["logits", "probabilities", "softmax"] as const) : "logits",
    classes: given.has("classes") ? given.texts("classes") : [],
    foreground: given.has("foreground") ? given.numbers("foreground") : [],
    threshold: given.number("threshold"),
    post_processing: rules(given.object("post_processing")),
    trained_on: given.text("trained_on"),
    licence: given.textOrNull("licence"),
    intended_use: given.text("intended_use"),
    golden: given.has("golden") ? golden(given.object("golden")) : null,
    content_sha256: given.textOrNull("content_sha256"),
    contract_sha256: given.textOrNull("contract_sha256"),
  };
  for (const unused of ["training_hash", "calibrated_on", "calibration_hash", "profile"]) given.textOrNull(unused);
  for (const unused of ["seen_patients", "float_layers"]) if (given.has(unused)) given.texts(unused);
  return contract;
}

function variant(given: Fields): Contract["variant"] {
  const found = {
    name: given.text("name"),
    alpha: given.number("alpha"),
    stem: given.text("stem"),
    profile: given.has("profile") ? given.text("profile") : "double",
    widths: given.has("widths") ? given.numbers("widths") : [],
  };
  given.done();
  return found;
}

function rules(given: Fields): PostProcessing {
  const found = { min_area_px: given.whole("min_area_px"), min_volume_px: given.whole("min_volume_px"), min_share: given.number("min_share") };
  given.done();
  return found;
}

function intensity(given: Fields): Intensity {
  const found = {
    over: given.one("over", ["slice", "volume"] as const),
    pixels: given.one("pixels", ["all", "non-zero"] as const),
    zero_stays: given.flag("zero_stays"),
    together: given.flag("together"),
    low: given.number("low"),
    high: given.number("high"),
    then: given.one("then", ["nothing", "z-score", "mean-std"] as const),
    mean: given.numbers("mean"),
    std: given.numbers("std"),
  };
  given.done();
  return found;
}

function golden(given: Fields): GoldenCase {
  const found: GoldenCase = {
    ellipses: given.list("ellipses").map((one, index) => new Fields({ one }, `golden.ellipses[${index}]`).numbers("one")),
    noise: given.whole("noise"),
    blur: given.whole("blur"),
    input_sha256: given.text("input_sha256"),
    mask_runs: given.text("mask_runs"),
    mask_sha256: given.text("mask_sha256"),
    allowed_flips: given.whole("allowed_flips"),
    logits: given.list("logits").map((one, index) => {
      const at = new Fields(one, `golden.logits[${index}]`);
      return { row: at.whole("row"), column: at.whole("column"), logit: at.number("logit") };
    }),
    logit_tolerance: given.number("logit_tolerance"),
  };
  for (const unused of ["reason", "made_with"]) given.text(unused);
  given.whole("tumour_pixels");
  given.done();
  return found;
}

function check(contract: Contract): void {
  const { post_processing: rule, intensity: spec, classes, foreground } = contract;
  const sides = [contract.height, contract.width];
  const fixed = spec !== null && (contract.normalisation === "mean-std" || spec.then === "mean-std");
  const measured = contract.normalisation !== "unit" && contract.normalisation !== "slice";
  const problems: [boolean, string][] = [
    [[...contract.channels].sort().join() !== [...CHANNELS].sort().join(), `it asks for the channels ${contract.channels.join(", ")}; ${CHANNELS.join(", ")} are there`],
    [!(contract.threshold > 0 && contract.threshold < 1), `its threshold is ${contract.threshold}; a number between 0 and 1 is needed`],
    [!(contract.scale > 0 && Number.isFinite(contract.scale)), `its scale is ${contract.scale}; a positive number is needed`],
    [sides.some((side) => side < 1 || side > 4096), `its image is ${sides.join(" x ")}; each side must have 1 to 4096 pixels`],
    [rule.min_area_px < 0 || rule.min_volume_px < 0 || !(rule.min_share >= 0 && rule.min_share <= 1), "its post_processing is out of range"],
    [measured !== (spec !== null), `its normalisation '${contract.normalisation}' and its intensity do not go together`],
    [spec !== null && !(spec.low >= 0 && spec.low < spec.high && spec.high <= 100), "its percentiles are out of range"],
    [spec !== null && [spec.mean, spec.std].some((list) => list.length !== (fixed ? contract.channels.length : 0)), "its mean and std do not fit its channels"],
    [spec !== null && spec.then !== "nothing" && contract.normalisation !== "percentile", `its intensity.then is '${spec?.then}'`],
    [spec !== null && !spec.std.every((value) => value >= 1e-6 && value <= 1e6), "its std is out of range"],
    [classes.length === 1 || new Set(classes).size !== classes.length || (contract.output === "softmax" && classes.length === 0), "its classes are odd"],
    [classes.length > 0 && !goodForeground(contract), `its foreground is ${foreground.join(", ")}, of ${classes.length} classes`],
    [[contract.content_sha256, contract.contract_sha256].some((digest) => digest !== null && !/^[0-9a-f]{64}$/.test(digest)), "its digests are odd"],
    [contract.golden?.ellipses.some((one) => one.length !== 7) ?? false, "its golden drawing is odd"],
  ];
  const found = problems.find(([wrong]) => wrong);
  if (found) throw new UserError(`The network cannot be used as it asks for: ${found[1]}. Another file has to be put on the server.`);
}

function goodForeground({ classes, foreground, output }: Contract): boolean {
  const inside = foreground.every((number) => Number.isInteger(number) && number >= 0 && number < classes.length);
  const count = new Set(foreground).size;
  return inside && count > 0 && count === foreground.length && (output === "probabilities" || count < classes.length);
}

/** The fields of one JSON object, each taken once and of its type; what nobody took is an error, as in edgeseg. */
class Fields {
  readonly #plain: Record<string, unknown>;
  readonly #left: Set<string>;

  constructor(
    plain: unknown,
    readonly path: string,
  ) {
    if (typeof plain !== "object" || plain === null || Array.isArray(plain)) this.fail("is no object");
    this.#plain = plain as Record<string, unknown>;
    this.#left = new Set(Object.keys(this.#plain));
  }

  has(name: string): boolean {
    const there = this.#plain[name] !== undefined && this.#plain[name] !== null;
    if (!there) this.#left.delete(name);
    return there;
  }

  text(name: string): string {
    const value = this.#take(name);
    return typeof value === "string" ? value : this.fail(`.${name} is no text`);
  }

  textOrNull(name: string): string | null {
    return this.has(name) ? this.text(name) : null;
  }

  number(name: string): number {
    const value = this.#take(name);
    return typeof value === "number" ? value : this.fail(`.${name} is no number`);
  }

  whole(name: string): number {
    const value = this.number(name);
    return Number.isSafeInteger(value) ? value : this.fail(`.${name} is no whole number`);
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    return typeof value === "boolean" ? value : this.fail(`.${name} is neither true nor false`);
  }

  one<const T extends string>(name: string, known: readonly T[]): T {
    const value = this.text(name);
    return known.find((one) => one === value) ?? this.fail(`.${name} is '${value}'; ${known.join(", ")} are known`);
  }

  list(name: string): unknown[] {
    const value = this.#take(name);
    return Array.isArray(value) ? value : this.fail(`.${name} is no list`);
  }

  texts(name: string): string[] {
    const values = this.list(name);
    return values.every((value) => typeof value === "string") ? values : this.fail(`.${name} is no list of texts`);
  }

  numbers(name: string): number[] {
    const values = this.list(name);
    return values.every((value) => typeof value === "number") ? values : this.fail(`.${name} is no list of numbers`);
  }

  object(name: string): Fields {
    return new Fields(this.#take(name), `${this.path}.${name}`);
  }

  done(): void {
    const [unknown] = this.#left;
    if (unknown !== undefined) this.fail(`.${unknown} is not known to this page`);
  }

  fail(what: string): never {
    throw new UserError(`The network's contract cannot be read (${this.path}${what.startsWith(".") ? "" : " "}${what}). Another file has to be put on the server.`);
  }

  #take(name: string): unknown {
    this.#left.delete(name);
    return this.#plain[name];
  }
}

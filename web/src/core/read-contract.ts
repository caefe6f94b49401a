import { faultOfChannels } from "./channels";
import { SCHEMA_VERSION, type Contract, type GoldenCase, type Intensity, type PostProcessing, type Region } from "./contract";
import { UserError } from "./errors";
import { Fields } from "./fields";
import { faultOfRegions } from "./masks";
import { faultOfTrust, readOutput, readTrust } from "./trust";

const NO_RULES: PostProcessing = { min_area_px: 0, min_volume_px: 0, min_share: 0 };

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
    channels: given.texts("channels"),
    height: given.whole("height"),
    width: given.whole("width"),
    normalisation: given.one("normalisation", ["unit", "slice", "mean-std", "z-score", "percentile"] as const),
    intensity: given.has("intensity") ? intensity(given.object("intensity")) : null,
    scale: given.number("scale"),
    output: given.has("output") ? given.one("output", ["logits", "probabilities", "softmax"] as const) : "logits",
    classes: given.has("classes") ? given.texts("classes") : [],
    foreground: given.has("foreground") ? given.numbers("foreground") : [],
    regions: given.has("regions") ? given.objects("regions").map(region) : [],
    exclusive: given.has("exclusive") && given.flag("exclusive"),
    reference_channel: given.textOrNull("reference_channel"),
    stand_in: given.textOrNull("stand_in"),
    plane: given.has("plane") ? given.text("plane") : "axial",
    threshold: given.number("threshold"),
    post_processing: rules(given.object("post_processing")),
    trained_on: given.text("trained_on"),
    licence: given.textOrNull("licence"),
    intended_use: given.text("intended_use"),
    golden: given.has("golden") ? golden(given.object("golden")) : null,
    content_sha256: given.textOrNull("content_sha256"),
    contract_sha256: given.textOrNull("contract_sha256"),
    trust: given.has("trust") ? readTrust(given.object("trust")) : null,
    passes: given.has("passes") ? given.whole("passes") : 1,
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
  for (const unused of ["levels", "convolutions"]) if (given.has(unused)) given.list(unused);
  given.done();
  return found;
}

function rules(given: Fields): PostProcessing {
  const found = { min_area_px: given.whole("min_area_px"), min_volume_px: given.whole("min_volume_px"), min_share: given.number("min_share") };
  given.done();
  return found;
}

function region(given: Fields): Region {
  const found = {
    name: given.text("name"),
    channels: given.numbers("channels"),
    label: given.whole("label"),
    threshold: given.has("threshold") ? given.number("threshold") : 0.5,
    post_processing: given.has("post_processing") ? rules(given.object("post_processing")) : NO_RULES,
    colour: given.has("colour") ? given.numbers("colour") : [],
    trust: given.has("trust") ? readOutput(given.object("trust")) : null,
  };
  if (given.has("code")) given.texts("code");
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
  const [channels, regions, trust] = [faultOfChannels(contract), faultOfRegions(contract), faultOfTrust(contract)];
  const measured = contract.normalisation !== "unit" && contract.normalisation !== "slice";
  const problems: [boolean, string][] = [
    [contract.plane !== "axial", `it takes ${contract.plane} slices of a volume, and this page reads slices as they are; run it with: edgeseg run`],
    [channels !== null, `${channels}`],
    [regions !== null, `${regions}`],
    [trust !== null, `${trust}`],
    [contract.passes !== 1 && contract.passes !== 2, `passes is ${contract.passes}; 1 or 2 is needed`],
    [!(contract.threshold > 0 && contract.threshold < 1), `its threshold is ${contract.threshold}; a number between 0 and 1 is needed`],
    [!(contract.scale > 0 && Number.isFinite(contract.scale)), `its scale is ${contract.scale}; a positive number is needed`],
    [sides.some((side) => side < 1 || side > 4096), `its image is ${sides.join(" x ")}; each side must have 1 to 4096 pixels`],
    [![rule, ...contract.regions.map((one) => one.post_processing)].every(goodRules), "its post_processing is out of range"],
    [measured !== (spec !== null), `its normalisation '${contract.normalisation}' and its intensity do not go together`],
    [spec !== null && !(spec.low >= 0 && spec.low < spec.high && spec.high <= 100), "its percentiles are out of range"],
    [spec !== null && [spec.mean, spec.std].some((list) => list.length !== (fixed ? contract.channels.length : 0)), "its mean and std do not fit its channels"],
    [spec !== null && spec.then !== "nothing" && contract.normalisation !== "percentile", `its intensity.then is '${spec?.then}'`],
    [spec !== null && !spec.std.every((value) => value >= 1e-6 && value <= 1e6), "its std is out of range"],
    [classes.length === 1 || new Set(classes).size !== classes.length || (contract.output === "softmax" && classes.length === 0), "its classes are odd"],
    [classes.length > 0 && contract.regions.length === 0 && !goodForeground(contract), `its foreground is ${foreground.join(", ")}, of ${classes.length} classes`],
    [[contract.content_sha256, contract.contract_sha256].some((digest) => digest !== null && !/^[0-9a-f]{64}$/.test(digest)), "its digests are odd"],
    [contract.golden?.ellipses.some((one) => one.length !== 7) ?? false, "its golden drawing is odd"],
  ];
  const found = problems.find(([wrong]) => wrong);
  if (found) throw new UserError(`The network cannot be used as it asks for: ${found[1]}. Another file has to be put on the server.`);
}

function goodRules(rule: PostProcessing): boolean {
  return rule.min_area_px >= 0 && rule.min_volume_px >= 0 && rule.min_share >= 0 && rule.min_share <= 1;
}

function goodForeground({ classes, foreground, output }: Contract): boolean {
  const inside = foreground.every((number) => Number.isInteger(number) && number >= 0 && number < classes.length);
  const count = new Set(foreground).size;
  return inside && count > 0 && count === foreground.length && (output === "probabilities" || count < classes.length);
}


import { GRID, POINTS, type InputTally } from "./input-tally";

const GREATEST_AGREEMENT = 0.9999;
const ALL_PAIRED = 4;
const OF_HEAD = 13;
const OF_CHANNEL = 13;
const OF_PAIR = 12;
/** Places of a channel's features whose differences are those of a pair: mean, spread, black, rough, texture, rim, bone, cortex, centre, front_back. */
const DIFFERENCES = [0, 1, 2, 4, 5, 7, 8, 9, 12, 10];

type Plane = Float64Array;
/** Rows and columns from the first to one past the last. */
type Part = readonly [number, number, number, number];

/** The pairs of channels that are compared: all of up to four, else those of neighbours. */
export function channelPairs(channels: number): readonly (readonly [number, number])[] {
  const all = Array.from({ length: channels }, (_, one) => Array.from({ length: channels - one - 1 }, (_, more) => [one, one + more + 1] as const)).flat();
  return channels <= ALL_PAIRED ? all : all.filter(([one, other]) => other === one + 1);
}

/** How many features a volume of so many channels has. */
export function featureCount(channels: number): number {
  return OF_HEAD + OF_CHANNEL * channels + OF_PAIR * channelPairs(channels).length;
}

/** What a volume looks like, as `edgeseg/trust/input_features.py`: of the head, of each channel, of each pair; null without a head. */
export function inputFeatures(tally: InputTally): readonly number[] | null {
  const points = sum(tally.heads);
  if (points === 0) return null;
  const box = new Box(tally.heads);
  const channels = tally.sums.map((_, channel) => ofChannel(tally, box, points, channel));
  const pairs = channelPairs(tally.channels).flatMap(([one, other]) => [...ofPair(tally, points, one, other), ...DIFFERENCES.map((at) => channels[one][at] - channels[other][at])]);
  return [...ofHead(tally, box, points), ...channels.flat(), ...pairs];
}

/** The rectangle that holds the head, and sums over parts of it. */
class Box {
  readonly rows: number;
  readonly columns: number;
  readonly top: number;
  readonly left: number;

  constructor(heads: Plane) {
    const across = Array.from({ length: GRID }, (_, row) => sum(heads.subarray(row * GRID, (row + 1) * GRID)));
    const down = Array.from({ length: GRID }, (_, column) => sum(heads.filter((_, at) => at % GRID === column)));
    [this.top, this.rows] = ends(across);
    [this.left, this.columns] = ends(down);
  }

  /** What a plane has at a place of the box. */
  at(plane: Plane, row: number, column: number): number {
    return plane[(this.top + row) * GRID + this.left + column];
  }

  sum(plane: Plane, [from, to, left, right]: Part): number {
    let total = 0;
    for (let row = from; row < to; row++) for (let column = left; column < right; column++) total += this.at(plane, row, column);
    return total;
  }

  /** Its first and last quarter of rows, then of columns; where `middle`, between the quarters of the other ones. */
  quarters(middle: boolean): readonly Part[] {
    const { rows, columns } = this;
    const [down, across] = [Math.max(1, Math.floor(rows / 4)), Math.max(1, Math.floor(columns / 4))];
    const [above, beside] = middle ? [Math.floor(rows / 4), Math.floor(columns / 4)] : [0, 0];
    return [[0, down, beside, columns - beside], [rows - down, rows, beside, columns - beside], [above, rows - above, 0, across], [above, rows - above, columns - across, columns]];
  }

  get centre(): Part {
    const [down, across] = [Math.floor(this.rows / 3), Math.floor(this.columns / 3)];
    return [down, this.rows - down, across, this.columns - across];
  }

  /** By how much a plane differs from itself with its columns, or its rows, reversed. */
  reversed(plane: Plane, byRows: boolean): number {
    let total = 0;
    for (let row = 0; row < this.rows; row++) {
      for (let column = 0; column < this.columns; column++) {
        total += Math.abs(this.at(plane, row, column) - (byRows ? this.at(plane, this.rows - 1 - row, column) : this.at(plane, row, this.columns - 1 - column)));
      }
    }
    return total;
  }
}

function ofHead({ heads, slices, areas, burnt }: InputTally, box: Box, points: number): number[] {
  const { top, left, rows, columns } = box;
  const [front, back, one, other] = box.quarters(false).map((part) => box.sum(heads, part));
  const frame = sum(heads.filter((_, at) => at < GRID || at >= POINTS - GRID || at % GRID === 0 || at % GRID === GRID - 1));
  const largest = Math.max(1, ...areas);
  return [
    rows / GRID,
    columns / GRID,
    (2 * top + rows) / (2 * GRID),
    Math.abs((2 * left + columns) / (2 * GRID) - 0.5),
    points / (slices * rows * columns),
    sum(areas) / slices / largest,
    Math.min(areas[0], areas[areas.length - 1]) / largest,
    less(front, back),
    Math.abs(less(one, other)),
    box.reversed(heads, false) / points,
    box.reversed(heads, true) / points,
    Math.sqrt(frame / (slices * 4 * (GRID - 1))),
    Math.sqrt(burnt / points),
  ];
}

function ofChannel(tally: InputTally, box: Box, points: number, channel: number): number[] {
  const [mean, deviation] = moments(tally, points, channel);
  const [near, far] = tally.steps[channel];
  const bands = Array.from(tally.bands[channel], (bytes, band) => level(bytes, tally.bandPoints[band]));
  const core = bands[bands.length - 1];
  const levelIn = (part: Part): number => level(box.sum(tally.sums[channel], part), box.sum(tally.heads, part));
  const [front, back, left, right] = box.quarters(true).map(levelIn);
  return [
    Math.log(mean + 1),
    Math.log((deviation + 1) / (mean + 1)),
    tally.black[channel] / points,
    Math.sqrt(tally.white[channel] / points),
    less(near, far),
    Math.log((far / points + 1) / (deviation + 1)),
    Math.log(1 + tally.outside[channel] / Math.max(1, tally.slices * POINTS - points)),
    ...bands.slice(0, -1).map((band) => less(band, core)),
    less(front, back),
    Math.abs(less(left, right)),
    less(levelIn(box.centre), core),
  ];
}

function ofPair(tally: InputTally, points: number, one: number, other: number): number[] {
  const [[m1, d1], [m2, d2]] = [moments(tally, points, one), moments(tally, points, other)];
  const agree = Math.min(Math.max((tally.squares[one][other] / points - m1 * m2 + 1) / (d1 * d2 + 1), -GREATEST_AGREEMENT), GREATEST_AGREEMENT);
  const few = points / 500;
  return [Math.log((1 + agree) / (1 - agree)) / 2, less(tally.brighter[one][other] + few, tally.brighter[other][one] + few)];
}

/** Mean and deviation of a channel's head points. */
function moments(tally: InputTally, points: number, channel: number): readonly [number, number] {
  const mean = sum(tally.sums[channel]) / points;
  return [mean, Math.sqrt(Math.max(0, tally.squares[channel][channel] / points - mean * mean))];
}

/** Where that begins between which and whose end all but 2 % at each end lie, and how long it is. */
function ends(profile: readonly number[]): readonly [number, number] {
  const total = sum(profile);
  let passed = 0;
  const sums = profile.map((value) => (passed += 50 * value));
  const first = sums.findIndex((value) => value >= total);
  return [first, sums.findIndex((value) => value >= 49 * total) + 1 - first];
}

function sum(values: readonly number[] | Plane): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function level(bytes: number, points: number): number {
  return (bytes + 1) / (points + 1);
}

function less(one: number, other: number): number {
  return Math.log((one + 1) / (other + 1));
}

import { CONTRACT_KEY } from "./contract";
import { UserError } from "./errors";
import { Table } from "./flatbuffer";

const IDENTIFIER = "TFL3";
/** Numbers of fields, operators and types in TFLite's schema. */
const MODEL = { operatorCodes: 1, graphs: 2, buffers: 4, metadata: 6 };
const ENTRY = { name: 0, buffer: 1 };
const GRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3 };
const TENSOR = { shape: 0, type: 1, quantisation: 4 };
const OPERATOR = { code: 0, inputs: 1, outputs: 2 };
const CODE = { number: 3 };
const [DATA, SCALES, ZEROS] = [0, 2, 3];
const [QUANTIZE, DEQUANTIZE, INT8] = [114, 6, 9];

/** One end of a network that computes in int8 between float32 ends. */
export interface TfliteEnd {
  readonly dims: readonly number[];
  /** What its codes mean: `(code - zero) * scale`. */
  readonly scale: number;
  readonly zero: number;
}

/** What a TFLite file says of itself. */
export interface TfliteFacts {
  /** The text of the contract as it stands in the file. */
  readonly text: string | undefined;
  readonly input: TfliteEnd;
  readonly output: TfliteEnd;
}

/** Reads contract and ends of a TFLite file that `edgeseg web` gave float32 ends. */
export function tfliteFacts(file: Uint8Array): TfliteFacts {
  try {
    if (new TextDecoder("latin1").decode(file.subarray(4, 8)) !== IDENTIFIER) throw new RangeError("no TFLite file");
    const model = Table.root(file);
    return { text: contractOf(model), ...endsOf(model) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError("The network's file is cut short, damaged or no TFLite file. It has to be put on the server again.");
  }
}

function contractOf(model: Table): string | undefined {
  const entry = model.tables(MODEL.metadata).find((one) => one.text(ENTRY.name) === CONTRACT_KEY);
  return entry && model.tables(MODEL.buffers)[entry.number(ENTRY.buffer)].text(DATA);
}

function endsOf(model: Table): Pick<TfliteFacts, "input" | "output"> {
  const codes = model.tables(MODEL.operatorCodes).map((one) => one.number(CODE.number));
  const [graph, ...others] = model.tables(MODEL.graphs);
  const tensors = graph.tables(GRAPH.tensors);
  const operators = graph.tables(GRAPH.operators);
  const [inputs, outputs] = [graph.numbers(GRAPH.inputs), graph.numbers(GRAPH.outputs)];
  /** What lies behind the one operator at an end. */
  const end = (whole: number, wanted: number, here: number, inside: number): TfliteEnd => {
    const found = operators.filter((one) => one.numbers(here).includes(whole));
    const tensor = tensors[found[0]?.numbers(inside)[0] ?? -1];
    const quantised = tensor?.table(TENSOR.quantisation) ?? null;
    const [scale, ...more] = quantised?.floats(SCALES) ?? [];
    const fits = found.length === 1 && codes[found[0].number(OPERATOR.code)] === wanted && tensor?.byte(TENSOR.type) === INT8;
    if (!fits || !(scale > 0) || more.length > 0) throw notInt8();
    return { dims: tensor.numbers(TENSOR.shape), scale, zero: quantised?.longs(ZEROS)[0] ?? 0 };
  };
  if (others.length > 0 || inputs.length !== 1 || outputs.length !== 1) throw notInt8();
  return { input: end(inputs[0], QUANTIZE, OPERATOR.inputs, OPERATOR.outputs), output: end(outputs[0], DEQUANTIZE, OPERATOR.outputs, OPERATOR.inputs) };
}

function notInt8(): UserError {
  return new UserError("The network's file is no TFLite network in int8 between float32 ends, as this page runs it. The page has to be made anew with: edgeseg web");
}

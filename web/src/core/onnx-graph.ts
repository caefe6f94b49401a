import { bytesField, fields, joined, numberField, packed } from "./protobuf";

/** Types of TensorProto. */
export const FLOAT = 1;
export const UINT8 = 2;
export const INT8 = 3;
export const INT32 = 6;

const MODEL = { graph: 7, metadata: 14 } as const;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, annotations: [13, 14] } as const;
const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5 } as const;
const ATTRIBUTE = { name: 1, whole: 3 } as const;
const TENSOR = { dims: 1, type: 2, floats: 4, integers: 5, name: 8, raw: 9 } as const;

/** An operator with the names of what it takes and gives; its attributes as they stand in the file. */
export interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly Uint8Array[];
}

/** A constant of `type`, and all of it as it stands; its numbers are null where they are of no type that is known here. */
export interface Constant {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: number;
  readonly values: Float32Array | Int8Array | Uint8Array | Int32Array | null;
  readonly raw: Uint8Array;
}

/** A graph, and all else of a model but what it says of itself. */
export interface Graph {
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<string, Constant>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly around: readonly Uint8Array[];
  readonly graphRest: readonly Uint8Array[];
}

/** Reads a model's graph. Throws a `RangeError` where the file is cut short. */
export function readGraph(model: Uint8Array): Graph {
  const nodes: Node[] = [];
  const constants = new Map<string, Constant>();
  const [inputs, outputs, around, graphRest]: [string[], string[], Uint8Array[], Uint8Array[]] = [[], [], [], []];
  for (const outer of fields(model)) {
    if (outer.number !== MODEL.graph || outer.bytes === null) {
      if (outer.number !== MODEL.metadata) around.push(outer.raw);
      continue;
    }
    for (const { number, bytes, raw } of fields(outer.bytes)) {
      if (number === GRAPH.node && bytes) nodes.push(readNode(bytes));
      else if (number === GRAPH.initializer && bytes) {
        const constant = readConstant(bytes, raw);
        constants.set(constant.name, constant);
      } else if (!GRAPH.annotations.some((one) => one === number)) graphRest.push(raw);
      if (number === GRAPH.input && bytes) inputs.push(nameOf(bytes));
      if (number === GRAPH.output && bytes) outputs.push(nameOf(bytes));
    }
  }
  return { nodes, constants, inputs, outputs, around, graphRest };
}

/** A model of other operators and constants, else as `graph` was. */
export function writeGraph(graph: Graph, nodes: readonly Node[], constants: readonly Uint8Array[]): Uint8Array {
  const written = nodes.map(({ operator, inputs, outputs, attributes }, place) => bytesField(GRAPH.node, joined([
    ...inputs.map((name) => bytesField(NODE.input, name)),
    ...outputs.map((name) => bytesField(NODE.output, name)),
    bytesField(NODE.name, `node_${place}`),
    bytesField(NODE.operator, operator),
    ...attributes,
  ])));
  return joined([...graph.around, bytesField(MODEL.graph, joined([...written, ...constants, ...graph.graphRest]))]);
}

/** A constant of float32 (or of the type that is given, with its bytes), as a graph has it. */
export function constantField(name: string, dims: readonly number[], values: Float32Array | Uint8Array, type = FLOAT): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return bytesField(GRAPH.initializer, joined([...dims.map((size) => numberField(TENSOR.dims, size)), numberField(TENSOR.type, type), bytesField(TENSOR.name, name), bytesField(TENSOR.raw, bytes)]));
}

/** The whole number of an operator's attribute; null where it is not given. */
export function attributeOf({ attributes }: Node, name: string): number | null {
  for (const attribute of attributes) {
    const [field] = fields(attribute);
    const parts = [...fields(field.bytes ?? new Uint8Array())];
    if (parts.some(({ number, bytes }) => number === ATTRIBUTE.name && bytes && text(bytes) === name)) return parts.find(({ number }) => number === ATTRIBUTE.whole)?.value ?? 0;
  }
  return null;
}

function readNode(message: Uint8Array): Node {
  const [inputs, outputs, attributes]: [string[], string[], Uint8Array[]] = [[], [], []];
  let operator = "";
  for (const { number, bytes, raw } of fields(message)) {
    if (number === NODE.attribute) attributes.push(raw);
    if (bytes === null) continue;
    if (number === NODE.input) inputs.push(text(bytes));
    if (number === NODE.output) outputs.push(text(bytes));
    if (number === NODE.operator) operator = text(bytes);
  }
  return { operator, inputs, outputs, attributes };
}

function readConstant(message: Uint8Array, whole: Uint8Array): Constant {
  const dims: number[] = [];
  let [name, type]: [string, number] = ["", 0];
  let values: Constant["values"] = null;
  for (const { number, bytes, value } of fields(message)) {
    if (number === TENSOR.dims) dims.push(...(bytes ? packed(bytes) : [value ?? 0]));
    if (number === TENSOR.type) type = value ?? 0;
    if (number === TENSOR.name && bytes) name = text(bytes);
    if ((number === TENSOR.raw || number === TENSOR.floats) && bytes) values = valuesOf(bytes, type);
    if (number === TENSOR.integers && bytes) values = valuesOf(new Uint8Array((type === INT32 ? Int32Array : Uint8Array).from(packed(bytes)).buffer), type);
  }
  return { name, dims, type, values, raw: whole };
}

/** Numbers from their little-endian bytes. */
function valuesOf(bytes: Uint8Array, type: number): Constant["values"] {
  const { buffer } = Uint8Array.from(bytes);
  switch (type) {
    case FLOAT: return new Float32Array(buffer);
    case UINT8: return new Uint8Array(buffer);
    case INT8: return new Int8Array(buffer);
    case INT32: return new Int32Array(buffer);
    default: return null;
  }
}

function nameOf(message: Uint8Array): string {
  for (const { number, bytes } of fields(message)) if (number === 1 && bytes) return text(bytes);
  return "";
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

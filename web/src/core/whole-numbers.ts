import { attributeOf, constantField, FLOAT, INT32, INT8, readGraph, UINT8, writeGraph, type Constant, type Graph, type Node } from "./onnx-graph";

/** Whole numbers below this are exact in float32, and so are sums of them in any order. */
const EXACT = 2 ** 24;
const ROWS = ["MaxPool", "Transpose", "Reshape"];

/** What the codes of a tensor mean: `(code - zero) * scale`, codes from `low` to `low + 255`. */
interface Codes {
  readonly scale: number;
  readonly zero: number;
  readonly low: number;
}

/** A float tensor of whole numbers, the codes less their zero. */
interface Whole extends Codes {
  readonly kind: "whole";
  readonly name: string;
}

/** Sums of a convolution, exact in float32; `scales` is what 1 means in each channel. */
interface Sums {
  readonly kind: "sums";
  readonly name: string;
  readonly scales: readonly number[];
}

/** Tensors side by side, which may mean different things by their codes. */
interface Joined {
  readonly kind: "joined";
  readonly parts: readonly Whole[];
  readonly attributes: readonly Uint8Array[];
}

type Known = Whole | Sums | Joined;

/**
 * The same network with every int8 convolution as a float32 one over whole numbers, which a browser computes several times
 * faster: all sums stay below 2**24, so they are exact, and they are scaled and rounded as ONNX Runtime's integer kernels
 * do it. So its codes are those of the integer graph. It has to be opened without optimisations, which would fold the
 * scales into the weights. Null for a network with other operators, or where a sum might not be exact.
 */
export function inWholeNumbers(model: Uint8Array): Uint8Array | null {
  try {
    return new Rewriter(readGraph(model)).rewritten();
  } catch (error) {
    if (error instanceof Unfit) return null;
    throw error;
  }
}

/** Thrown where a network cannot be rewritten; no error. */
class Unfit extends Error {}

class Rewriter {
  readonly #nodes: Node[] = [];
  readonly #constants: Uint8Array[] = [];
  readonly #known = new Map<string, Known>();

  constructor(readonly graph: Graph) {}

  rewritten(): Uint8Array {
    for (const node of this.graph.nodes) this.#take(node);
    return writeGraph(this.graph, this.#nodes, this.#constants);
  }

  #take(node: Node): void {
    const [out] = node.outputs;
    const { operator, inputs, attributes } = node;
    if (node.outputs.length !== 1) throw new Unfit();
    if (operator === "DequantizeLinear") return this.#dequantise(inputs, out);
    if (operator === "QuantizeLinear") return this.#quantise(inputs, out);
    if (operator === "Conv") return this.#convolve(node, out);
    if (operator === "Concat") {
      this.#known.set(out, { kind: "joined", parts: inputs.map((name) => this.#whole(name)), attributes });
      return;
    }
    if (!ROWS.includes(operator)) throw new Unfit();
    const { name, ...codes } = this.#whole(inputs[0]);
    for (const rest of inputs.slice(1)) this.#constants.push(this.#constant(rest).raw);
    this.#add(operator, [name, ...inputs.slice(1)], out, attributes);
    this.#known.set(out, { ...codes, name: out });
  }

  /** Codes that come in become whole numbers; of those that were made here they are known, and of weights they are read where they are used. */
  #dequantise([from, scale, zero]: readonly string[], out: string): void {
    if (this.graph.constants.has(from)) return;
    const codes = this.#codes(scale, zero);
    const known = this.#known.get(from);
    if (known !== undefined) {
      if (known.kind !== "whole" || !alike(known, codes)) throw new Unfit();
      this.#known.set(out, known);
      return;
    }
    if (!this.graph.inputs.includes(from)) throw new Unfit();
    this.#constants.push(this.#constant(zero).raw);
    this.#add("DequantizeLinear", [from, this.#number(1), zero], out);
    this.#known.set(out, { kind: "whole", name: out, ...codes });
  }

  #quantise([from, scale, zero]: readonly string[], out: string): void {
    const codes = this.#codes(scale, zero);
    const known = this.#known.get(from);
    if (known === undefined) throw new Unfit();
    const name = known.kind === "joined" ? this.#join(known, codes, out) : known.kind === "sums" ? this.#scaled(known, codes, out) : alike(known, codes) ? known.name : unfit();
    this.#known.set(out, { kind: "whole", name, ...codes });
    if (!this.graph.outputs.includes(out)) return;
    this.#constants.push(this.#constant(zero).raw);
    this.#add("QuantizeLinear", [name, this.#number(1), zero], out);
  }

  #convolve({ inputs, attributes }: Node, out: string): void {
    const given = this.#whole(inputs[0]);
    const weights = this.#weights(inputs[1]);
    const bias = inputs[2] ? this.#weights(inputs[2]) : null;
    const [channels] = weights.dims;
    if (weights.dims.length !== 4) throw new Unfit();
    const size = weights.values.length / channels;
    for (let channel = 0; channel < channels; channel++) {
      let most = Math.abs(bias?.values[channel] ?? 0);
      for (let at = channel * size; at < (channel + 1) * size; at++) most += 255 * Math.abs(weights.values[at]);
      if (!(most < EXACT)) throw new Unfit();
    }
    const names = [`${out}/weights`, `${out}/bias`];
    this.#constants.push(constantField(names[0], weights.dims, weights.values));
    if (bias) this.#constants.push(constantField(names[1], bias.dims, bias.values));
    this.#add("Conv", [given.name, ...names.slice(0, bias ? 2 : 1)], `${out}/sums`, attributes);
    const scales = Array.from({ length: channels }, (_, channel) => Math.fround(given.scale * (weights.scales[channel] ?? weights.scales[0])));
    this.#known.set(out, { kind: "sums", name: `${out}/sums`, scales });
  }

  /** Sums to codes as ONNX Runtime requantises them: times `x * w / y` in float32. */
  #scaled({ name, scales }: Sums, codes: Codes, out: string): string {
    const factors = Float32Array.from(scales, (scale) => scale / codes.scale);
    this.#constants.push(constantField(`${out}/factors`, [1, factors.length, 1, 1], factors));
    this.#add("Mul", [name, `${out}/factors`], `${out}/scaled`);
    return this.#rounded(`${out}/scaled`, codes, out);
  }

  /** Puts tensors side by side, those that mean something else by their codes as its tables have them: times x, divided by y. */
  #join({ parts, attributes }: Joined, codes: Codes, out: string): string {
    const names = parts.map((part, place) => {
      if (alike(part, codes)) return part.name;
      const own = `${out}/${place}`;
      this.#add("Mul", [part.name, this.#number(part.scale)], `${own}/real`);
      this.#add("Div", [`${own}/real`, this.#number(codes.scale)], `${own}/scaled`);
      return this.#rounded(`${own}/scaled`, codes, own);
    });
    return this.#add("Concat", names, `${out}/whole`, attributes);
  }

  #rounded(name: string, { low, zero }: Codes, out: string): string {
    this.#add("Round", [name], `${out}/rounded`);
    return this.#add("Clip", [`${out}/rounded`, this.#number(low - zero), this.#number(low + 255 - zero)], `${out}/clipped`);
  }

  #add(operator: string, inputs: readonly string[], output: string, attributes: readonly Uint8Array[] = []): string {
    this.#nodes.push({ operator, inputs, outputs: [output], attributes });
    return output;
  }

  /** A constant of one float32. */
  #number(value: number): string {
    const name = `number/${this.#constants.length}`;
    this.#constants.push(constantField(name, [], Float32Array.of(value)));
    return name;
  }

  #whole(name: string): Whole {
    const known = this.#known.get(name);
    return known?.kind === "whole" ? known : unfit();
  }

  #constant(name: string): Constant {
    return this.graph.constants.get(name) ?? unfit();
  }

  #codes(scale: string, zero: string | undefined): Codes {
    const [size, point] = [this.#constant(scale), this.#constant(zero ?? "")];
    const [value, at] = [size.values, point.values];
    if (size.type !== FLOAT || value?.length !== 1 || at?.length !== 1) throw new Unfit();
    if (point.type !== INT8 && point.type !== UINT8) throw new Unfit();
    return { scale: value[0], zero: at[0], low: point.type === INT8 ? -128 : 0 };
  }

  /** What a `DequantizeLinear` of a constant makes, as codes less their zero, and the scale of each channel. */
  #weights(name: string): { dims: readonly number[]; values: Float32Array; scales: Float32Array } {
    const made = this.graph.nodes.find((node) => node.operator === "DequantizeLinear" && node.outputs[0] === name) ?? unfit();
    const codes = this.#constant(made.inputs[0]);
    const { values } = codes;
    const { values: scales } = this.#constant(made.inputs[1]);
    const zeros = made.inputs[2] ? this.#constant(made.inputs[2]).values : null;
    if (values === null || !(scales instanceof Float32Array) || (codes.type !== INT8 && codes.type !== INT32)) throw new Unfit();
    if (scales.length > 1 && attributeOf(made, "axis") !== 0) throw new Unfit();
    if ((scales.length !== 1 && scales.length !== codes.dims[0]) || zeros?.some((zero) => zero !== 0)) throw new Unfit();
    return { dims: codes.dims, values: Float32Array.from(values), scales };
  }
}

function alike(one: Codes, other: Codes): boolean {
  return one.scale === other.scale && one.zero === other.zero && one.low === other.low;
}

function unfit(): never {
  throw new Unfit();
}

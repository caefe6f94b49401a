import { UserError } from "./errors";

/** The fields of one JSON object, each taken once and of its type; what nobody took is an error, as in edgeseg. */
export class Fields {
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

  numberLists(name: string): number[][] {
    const lists = this.list(name);
    const good = lists.every((list) => Array.isArray(list) && list.every((value) => typeof value === "number"));
    return good ? (lists as number[][]) : this.fail(`.${name} is no list of lists of numbers`);
  }

  objects(name: string): Fields[] {
    return this.list(name).map((one, index) => new Fields(one, `${this.path}.${name}[${index}]`));
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

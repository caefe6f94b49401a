declare module "@niivue/dcm2niix" {
  /** dcm2niix in a worker of its own; each call of an option adds it to the command. */
  export class Dcm2niix {
    worker: Worker | null;
    init(): Promise<boolean>;
    input(files: readonly File[]): Processor;
  }
  export interface Processor {
    b(value: string): Processor;
    z(value: string): Processor;
    f(value: string): Processor;
    run(): Promise<File[]>;
  }
}

declare module "@litertjs/core/wasm/litert_wasm_compat_internal.js" {
  /** Makes LiteRT's WebAssembly module, as Emscripten has it. */
  export default function factory(options: {
    locateFile?: () => string;
    wasmBinary?: Uint8Array;
    print: () => void;
    printErr: () => void;
  }): Promise<unknown>;
}

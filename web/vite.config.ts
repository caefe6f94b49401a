import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const GENERATED = new URL("generated/", import.meta.url);
/** The text of the Apache License 2.0, for packages that come under it without the text. */
const APACHE = new URL("../LICENSE", import.meta.url);
/** The WebAssembly of each library that runs networks. */
const WASM = { onnxruntime: "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm", litert: "@litertjs/core/wasm/litert_wasm_compat_internal.wasm" };

const LIBRARIES = [["onnxruntime", /node_modules\/onnxruntime-web\//], ["litert", /node_modules\/@litertjs\//]] as const;

/**
 * Packs the WebAssembly of each library once, since many a server does not pack what it sends, and keeps the bundler from
 * adding ONNX Runtime's a second time, unpacked, where the library names it.
 */
function runtimes(): Plugin {
  return {
    name: "edgeseg-runtimes",
    enforce: "pre",
    buildStart() {
      mkdirSync(GENERATED, { recursive: true });
      for (const [name, path] of Object.entries(WASM)) {
        const wasm = readFileSync(new URL(`node_modules/${path}`, import.meta.url));
        writeFileSync(new URL(`${name}.bin`, GENERATED), gzipSync(wasm, { level: 9 }));
      }
    },
    transform(code, id) {
      if (!id.includes("onnxruntime-web/dist/")) return null;
      return code.replaceAll(/new URL\("[^"]+\.wasm",import\.meta\.url\)/g, "new URL(location.href)");
    },
  };
}

/** Keeps LiteRT.js from asking for a graphics processor, which this page does not compute with. */
function withoutGraphics(): Plugin {
  const wanted = "await Environment.create()";
  return {
    name: "edgeseg-without-graphics",
    enforce: "pre",
    transform(code, id) {
      if (!id.endsWith("@litertjs/core/dist/index.js")) return null;
      if (code.split(wanted).length !== 2) throw new Error(`LiteRT.js has changed: '${wanted}' does not stand in it once`);
      return code.replace(wanted, "await Environment.create({ webGpuDevice: null })");
    },
  };
}

/** Makes files of the pictures that NiiVue carries as `data:` addresses (its font), which the page's policy does not load. */
function pictureFiles(): Plugin {
  return {
    name: "edgeseg-picture-files",
    enforce: "pre",
    transform(code, id) {
      if (!id.includes("@niivue/niivue/build/")) return null;
      const imports: string[] = [];
      const replaced = code.replaceAll(/"data:image\/(png|jpeg);base64,([A-Za-z0-9+/=]+)"/g, (_, kind: string, data: string) => {
        const file = new URL(`viewer-${imports.length}.${kind}`, GENERATED);
        writeFileSync(file, Buffer.from(data, "base64"));
        imports.push(`import viewerPicture${imports.length} from ${JSON.stringify(`${fileURLToPath(file)}?url`)};`);
        return `viewerPicture${imports.length - 1}`;
      });
      return `${imports.join("\n")}\n${replaced}`;
    },
  };
}

/** What NiiVue would unpack zarr archives with, which this page does not open: 1.4 MB. */
function withoutZarrCodecs(): Plugin {
  return {
    name: "edgeseg-without-zarr-codecs",
    enforce: "pre",
    resolveId: (source) => (source.startsWith("numcodecs/") ? "\0numcodecs" : null),
    load: (id) => (id === "\0numcodecs" ? "export default class { static fromConfig() { throw new Error('not here'); } }" : null),
  };
}

/** Lets NiiVue compute the gradients of a volume where they are drawn alone; this page's 3-D picture has no lights. */
function withoutUnseenGradients(): Plugin {
  const wanted = "      this.gradientTexture = gradientGL({";
  return {
    name: "edgeseg-without-unseen-gradients",
    enforce: "pre",
    transform(code, id) {
      if (!id.endsWith("@niivue/niivue/build/niivue/index.js")) return null;
      if (code.split(wanted).length !== 2) throw new Error(`NiiVue has changed: '${wanted.trim()}' does not stand in it once`);
      return code.replace(wanted, `      if (this.gradientTextureAmount > 0) this.gradientTexture = gradientGL({`);
    },
  };
}

/** The licences of all that travels in the page, in `licences.txt`. */
function licences(): Plugin {
  return {
    name: "edgeseg-licences",
    generateBundle() {
      const lock = JSON.parse(readFileSync(new URL("package-lock.json", import.meta.url), "utf8"));
      const packages = Object.entries<{ version: string; license?: string; dev?: boolean }>(lock.packages).filter(([path, one]) => path && !one.dev);
      const told = packages.map(([path, { version, license }]) => {
        const folder = new URL(`${path}/`, import.meta.url);
        const file = existsSync(folder) ? readdirSync(folder).find((name) => /^(licen[cs]e|copying)/i.test(name)) : undefined;
        const text = file ? new URL(file, folder) : license === "Apache-2.0" ? APACHE : null;
        return `${path.replace(/^.*node_modules\//, "")} ${version} (${license ?? "see below"})\n\n${text ? readFileSync(text, "utf8").trim() : ""}\n`;
      });
      this.emitFile({ type: "asset", fileName: "licences.txt", source: told.join(`\n${"-".repeat(80)}\n\n`) });
    },
  };
}

export default defineConfig({
  base: "./",
  resolve: { alias: { "@litertjs/wasm-utils": fileURLToPath(new URL("src/worker/litert-wasm.ts", import.meta.url)) } },
  plugins: [runtimes(), pictureFiles(), withoutZarrCodecs(), withoutUnseenGradients(), licences()],
  worker: {
    format: "es",
    plugins: () => [runtimes(), withoutGraphics()],
    // libraries in files of their own: a page takes those that begin with the name of what runs its network
    rolldownOptions: { output: { codeSplitting: { groups: LIBRARIES.map(([name, test]) => ({ name: `${name}-library`, test })) } } },
  },
  build: {
    target: "es2022",
    outDir: "dist",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4000,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: "index.html", sw: "src/sw.ts" },
      output: { entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
});

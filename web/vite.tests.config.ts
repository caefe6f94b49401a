import { defineConfig } from "vite";

/** The steps between bytes and masks as one module that Node runs, for tests/*.test.mjs. */
export default defineConfig({
  build: { target: "node20", outDir: "generated/core", emptyOutDir: true, minify: false, ssr: "tests/core.ts", rolldownOptions: { output: { entryFileNames: "core.mjs" } } },
});

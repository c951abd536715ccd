import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Compresses what can be once, so that the control plane compresses nothing while it serves: what is written in the end. */
const precompress: Plugin = {
  name: "precompress",
  apply: "build",
  async writeBundle({ dir = "" }, bundle) {
    for (const name of Object.keys(bundle).filter((each) => /\.(js|css|svg|html)$/.test(each))) {
      const path = join(dir, name);
      const content = await readFile(path);
      const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
      await writeFile(`${path}.br`, brotliCompressSync(content, quality));
      await writeFile(`${path}.gz`, gzipSync(content, { level: 9 }));
    }
  },
};

/** The font that every page needs is asked for with it, not after its style sheet: text is drawn once. */
const preloadFont: Plugin = {
  name: "preload-font",
  apply: "build",
  transformIndexHtml: (_, { bundle = {} }) =>
    Object.keys(bundle)
      .filter((name) => /geist-latin-wght-normal-[^/]*\.woff2$/.test(name))
      .map((name) => ({
        tag: "link",
        attrs: { rel: "preload", as: "font", type: "font/woff2", href: `/${name}`, crossorigin: true },
        injectTo: "head",
      })),
};

const controlPlane = process.env["CERTCTL_URL"] ?? "https://localhost:8443";

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwind(), preloadFont, precompress],
  resolve: {
    alias: {
      "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js": join(
        import.meta.dirname,
        "src/api/no-validation.ts",
      ),
    },
  },
  build: {
    target: "es2023",
    manifest: true,
    // The policy of the page allows no data: script and no inline one.
    assetsInlineLimit: 0,
    // scripts/web-size.ts holds it to its budgets.
    chunkSizeWarningLimit: 1_000,
    modulePreload: { polyfill: false },
  },
  server: {
    // As the control plane itself would serve the page: its origin is asked for by every call that changes something.
    proxy: {
      "/api": { target: controlPlane, secure: false, changeOrigin: true, headers: { origin: controlPlane } },
    },
  },
});

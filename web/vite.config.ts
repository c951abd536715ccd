import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Compresses what can be once, so that the control plane compresses nothing while it serves. */
const precompress: Plugin = {
  name: "precompress",
  apply: "build",
  enforce: "post",
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      if (!/\.(js|css|svg|html)$/.test(file.fileName)) continue;
      const content = Buffer.from(file.type === "chunk" ? file.code : file.source);
      const brotli = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
      this.emitFile({ type: "asset", fileName: `${file.fileName}.br`, source: brotli });
      this.emitFile({
        type: "asset",
        fileName: `${file.fileName}.gz`,
        source: gzipSync(content, { level: 9 }),
      });
    }
  },
};

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwind(), precompress],
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
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/api": {
        target: process.env["CERTCTL_URL"] ?? "https://localhost:8443",
        secure: false,
        changeOrigin: true,
      },
    },
  },
});

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src", "agent", "cli", "test", "scripts", "web"].map((folder) => `${folder}/**/*.test.ts`),
    // All files share one PostgreSQL, whose open transactions of any database hold up the sealing of the audit.
    maxWorkers: 1,
    globalSetup: "test/global-setup.ts",
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What a busy machine does late, it still does.
    expect: { poll: { timeout: 20_000 } },
  },
});

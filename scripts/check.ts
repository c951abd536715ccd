// Everything that can be said about the project without running it: npm run check
import { run } from "./run.ts";

run("npm", "run", "--silent", "generate");
run("node", "scripts/lockfile.ts", "--check");
run("node", "scripts/openapi.ts", "--check");
run("node", "scripts/configuration.ts", "--check");
run("node", "scripts/issuer-tables.ts", "--check");
run("node", "scripts/target-tables.ts", "--check");
run("buf", "lint");
run("buf", "breaking", "gen/contract.binpb", "--against", "proto/released.binpb");
run("buf", "format", "proto", "--diff", "--exit-code");
run("tsc");
run("tsc", "-p", "web");
run("tsc", "-p", "test/browser");
run("npm", "run", "--silent", "build");
run("node", "scripts/web-size.ts");
run("biome", "ci", ".");
run("knip");

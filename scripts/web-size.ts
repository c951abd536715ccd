// Holds the built dashboard to its budgets: node scripts/web-size.ts
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

interface Chunk {
  file: string;
  isEntry?: boolean;
  isDynamicEntry?: boolean;
  imports?: string[];
  css?: string[];
}

const dist = join(import.meta.dirname, "../web/dist");
const manifest = JSON.parse(readFileSync(join(dist, ".vite/manifest.json"), "utf8")) as Record<string, Chunk>;

const gzipped = (file: string) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length / 1_024;
const sum = (files: Iterable<string>) => [...files].reduce((total, file) => total + gzipped(file), 0);

/** The files of a chunk and of all that it imports at once. */
function loadOf(key: string, seen = new Set<string>()): Set<string> {
  const chunk = manifest[key];
  if (!chunk || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const each of chunk.imports ?? []) loadOf(each, seen);
  return seen;
}

function keyOf(pattern: RegExp): string {
  const key = Object.keys(manifest).find((each) => pattern.test(each));
  if (!key) throw new Error(`the manifest has no ${pattern}`);
  return key;
}

const entry = keyOf(/index\.html$/);
const first = new Set([...loadOf(entry), ...loadOf(keyOf(/overview-page\.tsx$/))]);
/** What every page loads: the shell, and its menu a moment later. */
const shell = loadOf(keyOf(/account-menu\.tsx$/), loadOf(entry));
const routes = Object.keys(manifest)
  .filter((key) => /pages\/.*-page\.tsx$/.test(key))
  .map((key) => ({ key, kB: sum([...loadOf(key)].filter((file) => !shell.has(file))) }))
  .sort((a, b) => b.kB - a.kB);
const assets = readdirSync(join(dist, "assets"));
const css = sum(Object.values(manifest).flatMap(({ css = [] }) => css));
/** A latin page loads the two latin files; unicode-range leaves the others alone. */
const fonts = assets
  .filter((file) => /-latin-wght-normal.*\.woff2$/.test(file))
  .reduce((total, file) => total + readFileSync(join(dist, "assets", file)).length / 1_024, 0);
const all = sum(assets.filter((file) => file.endsWith(".js")).map((file) => `assets/${file}`));

/** [what, kB as sent, aim, limit]; dashboard budgets, gzip -9. */
const budgets: readonly (readonly [string, number, number, number])[] = [
  ["JavaScript of the first load of /", sum(first), 175, 195],
  [`largest page: ${routes[0]?.key.split("/").at(-1)}`, routes[0]?.kB ?? 0, 30, 45],
  ["style sheet", css, 12, 20],
  ["fonts of a latin page", fonts, 55, 70],
  ["all JavaScript", all, 450, 550],
];

let isOver = false;
for (const [what, kB, aim, limit] of budgets) {
  const verdict = kB > limit ? "OVER THE LIMIT" : kB > aim ? "over the aim" : "";
  isOver ||= kB > limit;
  console.log(`${kB.toFixed(1).padStart(6)} kB  of ${aim}/${limit}  ${what}  ${verdict}`.trimEnd());
}
if (isOver) {
  console.error(
    "The dashboard is heavier than its budget: split what a page does not need at once, or leave it out.",
  );
  process.exit(1);
}

import { readFileSync, writeFileSync } from "node:fs";

/**
 * Writes what lies between `<!-- name: … -->` and `<!-- end -->` in a document. With `--check` on the command line it only says
 * whether that is there already, and ends the process when it is not.
 */
export function writeBlocks(path: string, blocks: Readonly<Record<string, string>>): void {
  const before = readFileSync(path, "utf8");
  const after = Object.entries(blocks).reduce((text, [name, rows]) => {
    const block = new RegExp(`(<!-- ${name}: .* -->\n)[\\s\\S]*?(<!-- end -->)`);
    if (!block.test(text)) throw new Error(`${path} has no place <!-- ${name}: … --> <!-- end -->`);
    return text.replace(block, (_, start, end) => `${start}${rows}${end}`);
  }, before);
  if (!process.argv.includes("--check")) writeFileSync(path, after);
  else if (after !== before) {
    console.error(`${path} is not what the code says: run npm run docs`);
    process.exit(1);
  }
}

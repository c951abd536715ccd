import { access, cp, mkdir, readFile } from "node:fs/promises";
import { dirname, join, matchesGlob } from "node:path";

/** What `docker build` would make, as far as files and settings go. */
export interface Image {
  /** What is /app in the image. */
  app: string;
  env: Record<string, string>;
  user: string;
  command: string[];
  healthCheck: string[] | null;
}

/** One instruction of a Dockerfile: its name, its options and the rest. */
interface Instruction {
  name: string;
  options: Record<string, string>;
  text: string;
}

type Stages = Map<string, { base: string; instructions: Instruction[] }>;

export const root = join(import.meta.dirname, "..");

/** The stages of a Dockerfile by their names. */
export async function readStages(dockerfile: string): Promise<Stages> {
  const text = await readFile(join(root, dockerfile), "utf8");
  const lines = text
    .replace(/^\s*#.*\n/gm, "")
    .replaceAll("\\\n", " ")
    .split("\n");
  const stages: Stages = new Map();
  let current: Instruction[] = [];
  for (const line of lines.filter((one) => one.trim() !== "")) {
    const [, name = "", flags = "", rest = ""] = /^(\w+)((?:\s+--\S+)*)\s+(.*)$/.exec(line) ?? [];
    const options = Object.fromEntries(
      Array.from(flags.matchAll(/--([\w-]+)=(\S+)/g), ([, key = "", value = ""]) => [key, value]),
    );
    if (name !== "FROM") current.push({ name, options, text: rest });
    else {
      const [base = "", , stage = base] = rest.split(/\s+/);
      current = [];
      stages.set(stage, { base, instructions: current });
    }
  }
  return stages;
}

/** Puts the files of a stage where they would lie, with the production packages that npm installed here. */
export async function assemble(dockerfile: string, stage: string, directory: string): Promise<Image> {
  const stages = await readStages(dockerfile);
  const image: Image = { app: join(directory, "app"), env: {}, user: "root", command: [], healthCheck: null };
  await mkdir(image.app, { recursive: true });
  await add(stages, stage, image);
  return image;
}

async function add(stages: Stages, name: string, image: Image): Promise<void> {
  const stage = stages.get(name);
  if (!stage) return;
  await add(stages, stage.base, image);
  for (const { name: instruction, options, text } of stage.instructions) {
    if (instruction === "COPY") await copy(stages, options["from"], text.split(/\s+/), image.app);
    else if (instruction === "RUN" && text.startsWith("npm ci")) await installPackages(text, image.app);
    else if (instruction === "ENV") {
      for (const [, key = "", value = ""] of text.matchAll(/(\w+)=(\S+)/g)) image.env[key] = value;
    } else if (instruction === "USER") image.user = text;
    else if (instruction === "CMD") image.command = JSON.parse(text);
    else if (instruction === "HEALTHCHECK") image.healthCheck = JSON.parse(text.replace(/^CMD\s+/, ""));
  }
}

/** COPY of what the context holds, or of what another stage generated, which lies here under the same name. */
async function copy(stages: Stages, from: string | undefined, words: string[], app: string): Promise<void> {
  const to = words.at(-1) ?? "";
  if (from !== undefined && !stages.has(from)) throw new Error(`COPY --from=${from}: there is no such stage`);
  for (const word of words.slice(0, -1)) {
    const source = word.replace("/app/", "");
    const isWanted = from === undefined ? await context() : () => true;
    const target = to.endsWith("/") ? join(app, to, source) : join(app, to);
    if (!isWanted(source)) throw new Error(`COPY ${source}: .dockerignore keeps it out`);
    await access(join(root, source));
    await mkdir(dirname(target), { recursive: true });
    const filter = (path: string) => isWanted(path.slice(root.length + 1));
    await cp(join(root, source), target, { recursive: true, filter });
  }
}

/** Whether a path reaches the builder: of .dockerignore's patterns the last that matches it, or what it lies in, decides. */
async function context(): Promise<(path: string) => boolean> {
  const text = await readFile(join(root, ".dockerignore"), "utf8");
  const patterns = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return (path) => {
    const parts = path.split("/");
    const parents = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
    const last = patterns.findLast((pattern) =>
      parents.some((parent) => matchesGlob(parent, pattern.replace(/^!/, ""))),
    );
    return last?.startsWith("!") ?? true;
  };
}

/** Copies what `npm ci` would install with these options, by the marks in the lockfile. */
async function installPackages(command: string, app: string): Promise<void> {
  const omitted = Array.from(command.matchAll(/--omit=(\w+)/g), ([, kind]) => kind);
  if (omitted.join() !== "dev,optional") throw new Error(`${command}: not understood`);
  const { packages } = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: true; optional?: true; devOptional?: true }>;
  };
  const wanted = Object.entries(packages).filter(([path, { dev, optional, devOptional }]) => {
    // What lies in another package comes with it.
    return path.lastIndexOf("node_modules/") === 0 && !dev && !optional && !devOptional;
  });
  await Promise.all(wanted.map(([path]) => cp(join(root, path), join(app, path), { recursive: true })));
}

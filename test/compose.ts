import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { type Image, root } from "./image.ts";

const service = z.strictObject({
  build: z.strictObject({ context: z.string(), dockerfile: z.string(), target: z.string() }).optional(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  user: z.string().optional(),
  hostname: z.string().optional(),
  network_mode: z.literal("none").optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/)).default([]),
  configs: z.array(z.strictObject({ source: z.string(), target: z.string() })).default([]),
  volumes: z.array(z.string().transform((text) => text.split(":"))).default([]),
  healthcheck: z.record(z.string(), z.unknown()).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.string() })).default({}),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  restart: z.string().optional(),
});

const file = z.strictObject({
  name: z.string(),
  services: z.record(z.string(), service),
  configs: z.record(z.string(), z.strictObject({ content: z.string() })),
  volumes: z.record(z.string(), z.null()),
});

export type Compose = z.infer<typeof file>;
export type Service = z.infer<typeof service>;

/** docker-compose.yml, as far as it uses what is known here. Throws at anything else. */
export async function readCompose(): Promise<Compose> {
  return file.parse(parse(await readFile(join(root, "docker-compose.yml"), "utf8"), { merge: true }));
}

/** What a service would run, with this machine's paths and ports in the place of the container's. */
export interface Run {
  argv: string[];
  env: Record<string, string>;
  healthCheck: string[] | null;
  /** The same replacement in any text. */
  local(text: string): string;
}

/**
 * Lays out a service's volumes and configs below `directory` and answers what it runs. `replacements` are further texts
 * of the container's world, such as `server:8443`.
 */
export async function layOut(options: {
  compose: Compose;
  name: string;
  image: Image | null;
  directory: string;
  replacements: Record<string, string>;
}): Promise<Run> {
  const { compose, name, image, directory, replacements } = options;
  const { command, environment, volumes, configs } = serviceOf(compose, name);
  const places: Record<string, string> = { ...replacements };
  for (const [source = "", target = ""] of volumes) {
    if (!source.startsWith("./")) {
      places[target] = join(directory, "volumes", source);
      await mkdir(join(directory, "volumes", source), { recursive: true });
    } else if (image && target.startsWith("/app/")) {
      await mkdir(dirname(target.replace("/app", image.app)), { recursive: true });
      await symlink(join(root, source), target.replace("/app", image.app)).catch(() => {});
    } else places[target] = join(root, source);
  }
  const texts = Object.keys(places).sort((a, b) => b.length - a.length);
  const pattern = new RegExp(texts.map((text) => text.replaceAll(".", "\\.")).join("|"), "g");
  const local = (text: string) =>
    texts.length === 0 ? text : text.replace(pattern, (found) => places[found] ?? found);
  for (const { source, target } of configs) {
    const path = join(directory, "configs", target);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, local(compose.configs[source]?.content ?? ""), { mode: 0o444 });
    places[target] = path;
  }
  const argvOf = (argv: readonly string[]) =>
    argv.map((word) => (image && word.endsWith(".ts") ? join(image.app, word) : local(word)));
  const env = Object.entries({ ...image?.env, ...environment }).map(([key, value]) => {
    return [key, places[value] ?? local(value)];
  });
  return {
    argv: argvOf(command ?? image?.command ?? []),
    env: Object.fromEntries(env),
    healthCheck: image?.healthCheck ?? null,
    local,
  };
}

export function serviceOf(compose: Compose, name: string): Service {
  const found = compose.services[name];
  if (!found) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

import { files } from "./files.ts";
import { nginx } from "./nginx.ts";
import type { Target } from "./target.ts";

/** Every kind of target, in the order in which it is offered. A new kind is added here. */
export const targets: readonly Target[] = [nginx, files];

export const targetByKind: ReadonlyMap<string, Target> = new Map(
  targets.map((target) => [target.kind, target]),
);

import { definePairTarget } from "./file-target.ts";

/** Its reload is refused with a bad pair, and is nothing without `--force` when the configuration is what it was. */
export const caddy = definePairTarget({ kind: "caddy", title: "Caddy", required: ["test", "reload"] });

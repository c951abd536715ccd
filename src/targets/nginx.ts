import { reloadedEntry } from "./file-schema.ts";
import { defineFileTarget } from "./file-target.ts";

/** nginx.conf names `<directory>/current/fullchain.pem` and `<directory>/current/privkey.pem`. */
export const nginx = defineFileTarget({ kind: "nginx", title: "nginx", host: reloadedEntry("nginx") });

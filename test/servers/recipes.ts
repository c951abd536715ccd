import { apache } from "./apache.ts";
import { caddy } from "./caddy.ts";
import { dovecot } from "./dovecot.ts";
import { haproxy } from "./haproxy.ts";
import { lighttpd } from "./lighttpd.ts";
import { mosquitto } from "./mosquitto.ts";
import { postfix } from "./postfix.ts";
import { postgresql } from "./postgresql.ts";
import { redis } from "./redis.ts";
import type { Recipe } from "./server.ts";

/** How the server of each kind is run. */
export const recipes: Readonly<Record<string, Recipe>> = {
  apache,
  caddy,
  dovecot,
  haproxy,
  lighttpd,
  mosquitto,
  postfix,
  postgresql,
  redis,
};

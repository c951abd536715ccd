import { apache } from "./apache.ts";
import { caddy } from "./caddy.ts";
import { dovecot } from "./dovecot.ts";
import { envoy } from "./envoy.ts";
import { files } from "./files.ts";
import { haproxy } from "./haproxy.ts";
import { lighttpd } from "./lighttpd.ts";
import { mosquitto } from "./mosquitto.ts";
import { nginx } from "./nginx.ts";
import { postfix } from "./postfix.ts";
import { postgresql } from "./postgresql.ts";
import { redis } from "./redis.ts";
import type { Target } from "./target.ts";
import { traefik } from "./traefik.ts";

/** Every kind of target, in the order in which it is offered. A new kind is added here. */
export const targets: readonly Target[] = [
  nginx,
  apache,
  haproxy,
  caddy,
  traefik,
  envoy,
  lighttpd,
  postfix,
  dovecot,
  mosquitto,
  postgresql,
  redis,
  files,
];

export const targetByKind: ReadonlyMap<string, Target> = new Map(
  targets.map((target) => [target.kind, target]),
);

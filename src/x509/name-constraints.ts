import { BlockList } from "node:net";
import { OctetString } from "@peculiar/asn1-schema";
import { Extension, id_ce_nameConstraints } from "@peculiar/asn1-x509";
import { addressBytes, cidrOf } from "./cidr.ts";
import { childrenOf, constructed, element, only, sequence, tags } from "./der.ts";
import type { San } from "./names.ts";

/** Names by their kind: DNS domains without a leading dot, and addresses as CIDRs. */
export interface Subtrees {
  dns: string[];
  ip: string[];
  email: string[];
  uri: string[];
}

/** What a CA may sign for (RFC 5280, 4.2.1.10). A kind of name without permitted subtrees is free but for the excluded. */
export interface NameConstraints {
  permitted: Subtrees;
  excluded: Subtrees;
}

export const noSubtrees = (): Subtrees => ({ dns: [], ip: [], email: [], uri: [] });

const kinds = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 } as const;

/**
 * The critical extension; null where nothing is constrained. Whoever is constrained to DNS names gets no addresses but those that
 * are permitted: a constraint of one kind leaves the others free.
 */
export function nameConstraints({ permitted, excluded }: NameConstraints): Extension | null {
  const free = ["0.0.0.0/0", "::/0"].filter(
    (all) => !permitted.ip.some((cidr) => cidr.includes(":") === all.includes(":")),
  );
  const isDnsConstrained = permitted.dns.length > 0 || excluded.dns.length > 0;
  const excludedIp = [...new Set([...excluded.ip, ...(isDnsConstrained ? free : [])])];
  const parts = [subtrees(0, permitted), subtrees(1, { ...excluded, ip: excludedIp })].filter(
    (part) => part !== null,
  );
  if (parts.length === 0) return null;
  const value = new OctetString(new Uint8Array(sequence(...parts)));
  return new Extension({ extnID: id_ce_nameConstraints, critical: true, extnValue: value });
}

function subtrees(tag: number, names: Subtrees): Buffer | null {
  const bases = [
    ...names.dns.map((name) => element(kinds.dns, Buffer.from(name))),
    ...names.email.map((name) => element(kinds.email, Buffer.from(name))),
    ...names.uri.map((name) => element(kinds.uri, Buffer.from(name))),
    ...names.ip.map((cidr) => element(kinds.ip, addressBytes(cidr))),
  ];
  return bases.length === 0 ? null : element(constructed(tag), ...bases.map((base) => sequence(base)));
}

/** Reads the extension's value. A kind of name that certctl does not issue is left out. Throws DerError. */
export function readNameConstraints(value: Uint8Array): NameConstraints {
  const read = { permitted: noSubtrees(), excluded: noSubtrees() };
  for (const part of childrenOf(only(Buffer.from(value), tags.sequence))) {
    const names = part.tag === 0xa0 ? read.permitted : read.excluded;
    for (const subtree of childrenOf(part, part.tag)) {
      const [base] = childrenOf(subtree);
      if (base?.tag === kinds.ip) names.ip.push(cidrOf(base.content));
      for (const kind of ["dns", "email", "uri"] as const)
        if (base?.tag === kinds[kind]) names[kind].push(base.content.toString("latin1").toLowerCase());
    }
  }
  return read;
}

/** Whether a CA with these constraints may sign for a name. */
export function isPermitted({ permitted, excluded }: NameConstraints, name: San): boolean {
  const allowed = permitted[name.type];
  return (
    (allowed.length === 0 || allowed.some((base) => lies(name, base))) &&
    !excluded[name.type].some((base) => lies(name, base) || speaksFor(name, base))
  );
}

function lies({ type, value }: San, base: string): boolean {
  switch (type) {
    case "dns":
      return isBelow(value.replace(/^\*\./, ""), base.replace(/^\./, ""));
    case "ip": {
      const [address = "", bits] = base.split("/");
      const family = address.includes(":") ? "ipv6" : "ipv4";
      if (family !== (value.includes(":") ? "ipv6" : "ipv4")) return false;
      const block = new BlockList();
      block.addSubnet(address, Number(bits), family);
      return block.check(value, family);
    }
    case "email": {
      const host = value.slice(value.lastIndexOf("@") + 1);
      if (base.includes("@")) return value === base;
      return base.startsWith(".") ? host.endsWith(base) : host === base;
    }
    case "uri": {
      const host = new URL(value).hostname.toLowerCase();
      return base.startsWith(".") ? host.endsWith(base) : host === base;
    }
  }
}

/** A wildcard stands for what is excluded, though it does not lie there. */
function speaksFor({ type, value }: San, base: string): boolean {
  return type === "dns" && value.startsWith("*.") && base.slice(base.indexOf(".")) === value.slice(1);
}

function isBelow(host: string, base: string): boolean {
  return base === "" || host === base || host.endsWith(`.${base}`);
}

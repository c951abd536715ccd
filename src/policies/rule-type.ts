import { z } from "zod";

/** What rules look at: a certificate as it is declared, and as it is. */
export interface CertificateFacts {
  id: string;
  name: string;
  commonName: string;
  /** Canonical. */
  sans: string[];
  issuerId: string;
  environment: string;
  ownerId: string | null;
  teamId: string | null;
  tags: Record<string, string>;
  validitySeconds: number;
  autoRenew: boolean;
  renewalWindowDays: number;
  /** Of the current version; null before the first. */
  notBefore: Date | null;
  notAfter: Date | null;
}

/** One thing that is not as a rule has it. */
export interface Offence {
  /** The field of the declaration that it lies in; empty where only time or the CA brought it about. */
  field: string;
  description: string;
}

/** A type of rule. One file per subject; see domains.ts. */
interface RuleType<Config = unknown> {
  /** Stored in the database, shown in the API: never renamed. */
  readonly type: string;
  readonly title: string;
  readonly config: z.ZodType<Config>;
  /** Everything that is wrong with a certificate by a rule of this type. Pure. */
  check(facts: CertificateFacts, config: Config, now: Date): Offence[];
}

/** Everything that is wrong with a certificate by one rule. Pure. */
export type Check = (facts: CertificateFacts, now: Date) => Offence[];

/** A type of rule whose configuration is JSON to everyone else; it is read once for many certificates. */
export interface KnownRuleType extends Pick<RuleType, "type" | "title"> {
  readonly config: z.ZodType;
  checkBy(config: unknown): Check;
}

/** Infers the configuration's type from its schema, then hides it. */
export function defineRuleType<Config>(ruleType: RuleType<Config>): KnownRuleType {
  const { type, title, config: schema } = ruleType;
  return {
    type,
    title,
    config: schema,
    checkBy(config) {
      const read = schema.parse(config);
      return (facts, now) => ruleType.check(facts, read, now);
    },
  };
}

/** A list with at least one entry, each once. */
export function distinct(entry: z.ZodType<string, string>) {
  return z
    .array(entry)
    .min(1, "must have at least one entry")
    .max(1_000)
    .refine((entries) => new Set(entries).size === entries.length, "has an entry twice");
}

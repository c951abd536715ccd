import { useQuery } from "@connectrpc/connect-query";
import { type Certificate, KeyAlgorithm, KeyAlgorithmSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { TargetService } from "#gen/certctl/v1/targets_pb.ts";
import { enumWords } from "../../../../src/rest/json.ts";
import { violationsOf } from "../../api/errors.ts";
import { useNames } from "../../names/names.ts";
import { valuesOfWords, wordOfValue } from "../../status/words.ts";
import { Checkbox, Field, Input, Select } from "../../ui/field.tsx";

/** What is typed; texts until it is sent. */
export interface CertificateDraft {
  name: string;
  commonName: string;
  sans: string;
  targets: readonly string[];
  agent: string;
  issuer: string;
  owner: string;
  team: string;
  policy: string;
  environment: string;
  days: string;
  algorithm: string;
  /** "name=value", separated by spaces. */
  tags: string;
}

export function draftOf(certificate?: Certificate): CertificateDraft {
  return {
    name: certificate?.name ?? "",
    commonName: certificate?.commonName ?? "",
    sans: certificate?.sans.join(" ") ?? "",
    targets: certificate?.targetIds ?? [],
    agent: certificate?.agentId ?? "",
    issuer: certificate?.issuerId ?? "",
    owner: certificate?.ownerId ?? "",
    team: certificate?.teamId ?? "",
    policy: certificate?.renewalPolicyId ?? "",
    environment: certificate?.environment ?? "",
    days: certificate ? String(certificate.validitySeconds / 86_400) : "",
    algorithm: certificate ? wordOfValue(KeyAlgorithmSchema, certificate.keyAlgorithm) : "",
    tags: Object.entries(certificate?.tags ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join(" "),
  };
}

/** The draft as the API takes it. */
export function requestOf(draft: CertificateDraft) {
  return {
    name: draft.name || draft.commonName,
    commonName: draft.commonName,
    sans: draft.sans.split(/[\s,]+/).filter(Boolean),
    targetIds: [...draft.targets],
    agentId: draft.agent,
    issuerId: draft.issuer,
    ownerId: draft.owner,
    teamId: draft.team,
    renewalPolicyId: draft.policy,
    environment: draft.environment,
    validitySeconds: Math.round(Number(draft.days) * 86_400),
    keyAlgorithm: valuesOfWords(KeyAlgorithmSchema, [draft.algorithm])[0] ?? KeyAlgorithm.UNSPECIFIED,
    tags: Object.fromEntries(
      draft.tags
        .split(/\s+/)
        .filter(Boolean)
        .map((tag) => {
          const [name = "", ...value] = tag.split("=");
          return [name, value.join("=")];
        }),
    ),
  };
}

interface CertificateFormProps {
  draft: CertificateDraft;
  onChange(draft: CertificateDraft): void;
  /** Of the call that the draft was sent by. */
  error: unknown;
  isNew: boolean;
}

/** The fields of a certificate. Of a new one two are enough; the rest has defaults and can be opened. */
export function CertificateForm({ draft, onChange, error, isNew }: CertificateFormProps) {
  const names = useNames();
  const targets = useQuery(TargetService.method.listTargets, { perPage: 500, sort: "name" }).data?.data ?? [];
  const wrong = (name: string) =>
    violationsOf(error).find(({ field }) => field === name || field.startsWith(`${name}[`))?.description;
  const set = (changes: Partial<CertificateDraft>) => onChange({ ...draft, ...changes });
  const input = (
    key: "name" | "commonName" | "sans" | "environment" | "tags",
    label: string,
    field: string,
    hint?: string,
  ) => (
    <Field label={label} hint={hint} error={wrong(field)} isOptional={key !== "commonName"}>
      {(ids) => (
        <Input
          {...ids}
          autoFocus={isNew && key === "commonName"}
          required={key === "commonName"}
          value={draft[key]}
          onChange={(event) => set({ [key]: event.target.value })}
        />
      )}
    </Field>
  );
  const choose = (
    label: string,
    key: "issuer" | "owner" | "team" | "policy",
    known: ReadonlyMap<string, string>,
    none: string,
    field: string,
  ) => (
    <Field label={label} error={wrong(field)} isOptional>
      {(ids) => (
        <Select {...ids} value={draft[key]} onChange={(event) => set({ [key]: event.target.value })}>
          <option value="">{none}</option>
          {Array.from(known, ([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
  return (
    <>
      {input("commonName", "Common name", "common_name", "What clients ask for: shop.example.com")}
      {input("sans", "More names", "sans", "Subject alternative names, separated by spaces")}
      <fieldset className="flex flex-col gap-1.5">
        <legend className="pb-1 font-medium text-fg1">Targets</legend>
        {targets.length === 0 && (
          <p className="text-fg2">No targets yet; they can be added to the certificate later.</p>
        )}
        <div className="flex max-h-40 flex-col gap-1.5 overflow-y-auto">
          {targets.map(({ id, name, kind }) => (
            <Checkbox
              key={id}
              label={`${name} (${kind})`}
              checked={draft.targets.includes(id)}
              onChange={(event) =>
                set({
                  targets: event.target.checked
                    ? [...draft.targets, id]
                    : draft.targets.filter((each) => each !== id),
                })
              }
            />
          ))}
        </div>
      </fieldset>
      <details open={!isNew}>
        <summary className="cursor-pointer rounded-control text-fg1">
          Name, issuer, owner, key, validity, tags
        </summary>
        <div className="mt-3 grid gap-3 sm:grid-cols-2">
          {input("name", "Name in certctl", "name", "The common name when left out")}
          {choose("Issuer", "issuer", names.issuers, "The default", "issuer_id")}
          {choose("Owner", "owner", names.owners, "Nobody", "owner_id")}
          {choose("Team", "team", names.teams, "The owner's", "team_id")}
          {choose("Renewal policy", "policy", names.renewalPolicies, "The default", "renewal_policy_id")}
          {input("environment", "Environment", "environment")}
          <Field
            label="Valid for days"
            hint="1 to 398; 46 when left out"
            error={wrong("validity_seconds")}
            isOptional
          >
            {(ids) => (
              <Input
                {...ids}
                type="number"
                min={1}
                max={398}
                value={draft.days}
                onChange={(event) => set({ days: event.target.value })}
              />
            )}
          </Field>
          <Field label="Key" error={wrong("key_algorithm")} isOptional>
            {(ids) => (
              <Select
                {...ids}
                value={draft.algorithm}
                onChange={(event) => set({ algorithm: event.target.value })}
              >
                <option value="">The default</option>
                {enumWords(KeyAlgorithmSchema).map((word) => (
                  <option key={word}>{word}</option>
                ))}
              </Select>
            )}
          </Field>
          {input("tags", "Tags", "tags", "name=value, separated by spaces")}
        </div>
      </details>
    </>
  );
}

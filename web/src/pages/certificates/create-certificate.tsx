import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { CertificateService, KeyAlgorithm, KeyAlgorithmSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { TargetService } from "#gen/certctl/v1/targets_pb.ts";
import { enumWords } from "../../../../src/rest/json.ts";
import { violationsOf } from "../../api/errors.ts";
import { useNames } from "../../names/names.ts";
import { valuesOfWords } from "../../status/words.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { ErrorNote } from "../../ui/error-card.tsx";
import { Checkbox, Field, Input, Select } from "../../ui/field.tsx";

const fresh = {
  name: "",
  commonName: "",
  sans: "",
  targets: [] as readonly string[],
  issuer: "",
  owner: "",
  team: "",
  policy: "",
  environment: "",
  days: "",
  algorithm: "",
};

/** Two fields make a certificate; the rest has defaults and can be opened. It is issued at once. */
export function CreateCertificate({ onClose }: { onClose(): void }) {
  const [form, setForm] = useState(fresh);
  const names = useNames();
  const navigate = useNavigate();
  const targets = useQuery(TargetService.method.listTargets, { perPage: 500, sort: "name" }).data?.data ?? [];
  const create = useMutation(CertificateService.method.createCertificate);
  const renew = useMutation(CertificateService.method.renewCertificate);
  const error = create.error ?? renew.error;
  const wrong = (name: string) =>
    violationsOf(create.error).find(({ field }) => field === name || field.startsWith(`${name}[`))
      ?.description;
  const set = (changes: Partial<typeof fresh>) => setForm((before) => ({ ...before, ...changes }));
  const submit = async () => {
    const { certificate } = await create.mutateAsync({
      name: form.name || form.commonName,
      commonName: form.commonName,
      sans: form.sans.split(/[\s,]+/).filter(Boolean),
      targetIds: [...form.targets],
      issuerId: form.issuer,
      ownerId: form.owner,
      teamId: form.team,
      renewalPolicyId: form.policy,
      environment: form.environment,
      validitySeconds: Number(form.days) * 86_400,
      keyAlgorithm: valuesOfWords(KeyAlgorithmSchema, [form.algorithm])[0] ?? KeyAlgorithm.UNSPECIFIED,
    });
    const id = certificate?.id ?? "";
    if (form.targets.length > 0) await renew.mutateAsync({ id });
    onClose();
    void navigate({ to: "/certificates/$id/$tab", params: { id, tab: "journey" } });
  };
  const choose = (
    label: string,
    key: "issuer" | "owner" | "team" | "policy",
    known: ReadonlyMap<string, string>,
    none: string,
    field: string,
  ) => (
    <Field label={label} error={wrong(field)} isOptional>
      {(ids) => (
        <Select {...ids} value={form[key]} onChange={(event) => set({ [key]: event.target.value })}>
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
    <Dialog
      title="Issue a certificate"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            form="create-certificate"
            type="submit"
            isPending={create.isPending || renew.isPending}
          >
            {form.targets.length > 0 ? "Issue and deploy" : "Declare"}
          </Button>
        </>
      }
    >
      <form
        id="create-certificate"
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void submit().catch(() => {});
        }}
      >
        <Field label="Common name" hint="What clients ask for: shop.example.com" error={wrong("common_name")}>
          {(ids) => (
            <Input
              {...ids}
              autoFocus
              required
              value={form.commonName}
              onChange={(event) => set({ commonName: event.target.value })}
            />
          )}
        </Field>
        <Field
          label="More names"
          hint="Subject alternative names, separated by spaces"
          error={wrong("sans")}
          isOptional
        >
          {(ids) => (
            <Input {...ids} value={form.sans} onChange={(event) => set({ sans: event.target.value })} />
          )}
        </Field>
        <fieldset className="flex flex-col gap-1.5">
          <legend className="pb-1 font-medium text-fg1">Targets</legend>
          {targets.length === 0 && (
            <p className="text-fg2">No targets yet; one can be added to the certificate later.</p>
          )}
          <div className="flex max-h-40 flex-col gap-1.5 overflow-y-auto">
            {targets.map(({ id, name, kind }) => (
              <Checkbox
                key={id}
                label={`${name} (${kind})`}
                checked={form.targets.includes(id)}
                onChange={(event) =>
                  set({
                    targets: event.target.checked
                      ? [...form.targets, id]
                      : form.targets.filter((each) => each !== id),
                  })
                }
              />
            ))}
          </div>
        </fieldset>
        <details className="flex flex-col gap-3">
          <summary className="cursor-pointer rounded-control text-fg1">
            Name, issuer, owner, key, validity
          </summary>
          <div className="mt-3 grid gap-3 sm:grid-cols-2">
            <Field
              label="Name in certctl"
              hint="The common name when left out"
              error={wrong("name")}
              isOptional
            >
              {(ids) => (
                <Input {...ids} value={form.name} onChange={(event) => set({ name: event.target.value })} />
              )}
            </Field>
            {choose("Issuer", "issuer", names.issuers, "The default", "issuer_id")}
            {choose("Owner", "owner", names.owners, "Nobody", "owner_id")}
            {choose("Team", "team", names.teams, "The owner's", "team_id")}
            {choose("Renewal policy", "policy", names.renewalPolicies, "The default", "renewal_policy_id")}
            <Field label="Environment" error={wrong("environment")} isOptional>
              {(ids) => (
                <Input
                  {...ids}
                  value={form.environment}
                  onChange={(event) => set({ environment: event.target.value })}
                />
              )}
            </Field>
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
                  value={form.days}
                  onChange={(event) => set({ days: event.target.value })}
                />
              )}
            </Field>
            <Field label="Key" error={wrong("key_algorithm")} isOptional>
              {(ids) => (
                <Select
                  {...ids}
                  value={form.algorithm}
                  onChange={(event) => set({ algorithm: event.target.value })}
                >
                  <option value="">The default</option>
                  {enumWords(KeyAlgorithmSchema).map((word) => (
                    <option key={word}>{word}</option>
                  ))}
                </Select>
              )}
            </Field>
          </div>
        </details>
        {error && <ErrorNote error={error} />}
      </form>
    </Dialog>
  );
}

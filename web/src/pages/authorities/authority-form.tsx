import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { AuthorityRole, AuthorityService, AuthorityState, KeyPlace } from "#gen/certctl/v1/authorities_pb.ts";
import { KeyAlgorithm, KeyAlgorithmSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { NameField } from "../../forms/kind-field.tsx";
import { wordOfValue } from "../../status/words.ts";
import { Field, Input, Select, Textarea } from "../../ui/field.tsx";
import { toast } from "../../ui/toast.tsx";
import { LocalIssuerField } from "./local-issuer-field.tsx";

const kinds = {
  issuing: "An issuing CA under a CA of certctl's",
  sub: "An issuing CA that another CA signs: its CSR",
  root: "A root",
};
type Kind = keyof typeof kinds;
const algorithms = Object.values(KeyAlgorithm).filter((each) => each !== KeyAlgorithm.UNSPECIFIED);

/** Creates a CA: a root, one under a root, or the CSR of one. */
export function AuthorityForm({ onClose }: { onClose(): void }) {
  const [kind, setKind] = useState<Kind>("issuing");
  const [name, setName] = useState("");
  const [issuerId, setIssuer] = useState("");
  const [parentId, setParent] = useState("");
  const [algorithm, setAlgorithm] = useState<KeyAlgorithm>(KeyAlgorithm.UNSPECIFIED);
  const [isInToken, setInToken] = useState(false);
  const [days, setDays] = useState("");
  const [levels, setLevels] = useState("");
  const [permitted, setPermitted] = useState("");
  const [excluded, setExcluded] = useState("");
  const authorities = useQuery(AuthorityService.method.listAuthorities, { perPage: 500, sort: "name" });
  const parents = (authorities.data?.data ?? []).filter(
    ({ role, state, pathLength }) =>
      (role === AuthorityRole.ISSUING_ROOT || (role === AuthorityRole.ISSUING_CA && pathLength !== 0)) &&
      state === AuthorityState.ACTIVE,
  );
  const queries = useQueryClient();
  const create = useMutation(AuthorityService.method.createAuthority);
  const { error } = create;
  const submit = async () => {
    await create.mutateAsync({
      name,
      issuerId: kind === "root" ? "" : issuerId,
      parentId: kind === "issuing" ? parentId : "",
      keyAlgorithm: algorithm,
      keyPlace: isInToken ? KeyPlace.PKCS11 : KeyPlace.DATABASE,
      validityDays: Number(days) || 0,
      ...(levels !== "" && { pathLength: Number(levels) }),
      names: limitsOf(permitted, excluded),
    });
    await refresh(queries, AuthorityService);
    toast(`${name} is created`);
    onClose();
  };
  return (
    <FormDialog
      title="Create an authority"
      action="Create authority"
      onClose={onClose}
      onSubmit={submit}
      error={error}
      isPending={create.isPending}
    >
      <Field label="What it is">
        {(field) => (
          <Select {...field} value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
            {Object.entries(kinds).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <NameField name={name} onChange={setName} error={error} />
      {kind !== "root" && <LocalIssuerField value={issuerId} onChange={setIssuer} error={error} />}
      {kind === "issuing" && (
        <Field label="Signed by" error={wrongWith(error, "parent_id")}>
          {(field) => (
            <Select {...field} required value={parentId} onChange={(event) => setParent(event.target.value)}>
              <option value="">Choose a CA</option>
              {parents.map((parent) => (
                <option key={parent.id} value={parent.id}>
                  {parent.name}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
      <Field label="Key" isOptional error={wrongWith(error, "key_algorithm")}>
        {(field) => (
          <Select
            {...field}
            value={algorithm}
            onChange={(event) => setAlgorithm(Number(event.target.value) as KeyAlgorithm)}
          >
            <option value={KeyAlgorithm.UNSPECIFIED}>As is usual</option>
            {algorithms.map((each) => (
              <option key={each} value={each}>
                {wordOfValue(KeyAlgorithmSchema, each)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field
        label="The key lies"
        hint={isInToken && "ECDSA P-256 or P-384; the control plane needs CERTCTL_PKCS11_MODULE"}
        error={wrongWith(error, "key_place")}
      >
        {(field) => (
          <Select
            {...field}
            value={isInToken ? "token" : "database"}
            onChange={(event) => setInToken(event.target.value === "token")}
          >
            <option value="database">Sealed in the database</option>
            <option value="token">In the hardware token (PKCS #11), which it never leaves</option>
          </Select>
        )}
      </Field>
      <Field label="Valid for" isOptional hint="Days" error={wrongWith(error, "validity_days")}>
        {(field) => (
          <Input
            {...field}
            type="number"
            min={1}
            value={days}
            onChange={(event) => setDays(event.target.value)}
          />
        )}
      </Field>
      <Field
        label="Levels of CAs below it"
        isOptional
        hint={kind === "root" ? "1 when left out" : "0 when left out: it signs certificates alone"}
        error={wrongWith(error, "path_length")}
      >
        {(field) => (
          <Input
            {...field}
            type="number"
            min={0}
            max={4}
            value={levels}
            onChange={(event) => setLevels(event.target.value)}
          />
        )}
      </Field>
      <Field
        label="Only for these names"
        isOptional
        hint="DNS domains and CIDRs, one a line. With domains alone, no IP addresses"
        error={wrongWith(error, "names")}
      >
        {(field) => (
          <Textarea {...field} value={permitted} onChange={(event) => setPermitted(event.target.value)} />
        )}
      </Field>
      <Field label="Never for these names" isOptional hint="DNS domains and CIDRs, one a line">
        {(field) => (
          <Textarea {...field} value={excluded} onChange={(event) => setExcluded(event.target.value)} />
        )}
      </Field>
    </FormDialog>
  );
}

function limitsOf(permitted: string, excluded: string) {
  const [allowed, banned] = [permitted, excluded].map((lines) => {
    const all = lines.split(/[\s,]+/).filter((line) => line !== "");
    const isAddress = (line: string) => /^[\d.]+(\/\d+)?$/.test(line) || line.includes(":");
    return { dns: all.filter((line) => !isAddress(line)), ip: all.filter(isAddress) };
  });
  return {
    permittedDns: allowed?.dns ?? [],
    permittedIp: allowed?.ip ?? [],
    excludedDns: banned?.dns ?? [],
    excludedIp: banned?.ip ?? [],
  };
}

import { useQuery } from "@connectrpc/connect-query";
import { IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { Field, Select } from "../../ui/field.tsx";

/** Which issuer a CA is to sign for. */
export function LocalIssuerField({
  value,
  onChange,
  error,
}: {
  value: string;
  onChange(id: string): void;
  error: unknown;
}) {
  const issuers = useQuery(IssuerService.method.listIssuers, {
    kind: "local-ca",
    perPage: 500,
    sort: "name",
  });
  return (
    <Field
      label="Signs for"
      hint="An issuer of the kind local-ca; its newest authority signs"
      error={wrongWith(error, "issuer_id")}
    >
      {(field) => (
        <Select {...field} required value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">Choose an issuer</option>
          {(issuers.data?.data ?? []).map((issuer) => (
            <option key={issuer.id} value={issuer.id}>
              {issuer.name}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

import type { MessageInitShape } from "@bufbuild/protobuf";
import { RevocationReason, RevocationReasonSchema } from "#gen/certctl/v1/certificates_pb.ts";
import type { RevocationSchema } from "#gen/certctl/v1/operations_pb.ts";
import { Checkbox, Field, Select } from "../ui/field.tsx";
import { readable } from "./words.ts";

export type RevocationWish = Required<Pick<MessageInitShape<typeof RevocationSchema>, "reason" | "force">>;

export const firstWish: RevocationWish = { reason: RevocationReason.SUPERSEDED, force: false };

/** What each reason leads to, beyond the revocation. */
const consequences: Readonly<Partial<Record<RevocationReason, string>>> = {
  [RevocationReason.KEY_COMPROMISE]:
    "The key is blocked for good, and what is in use is revoked too. A renewal with a new key follows at once.",
  [RevocationReason.CA_COMPROMISE]: "What is in use is revoked too. A renewal follows at once.",
  [RevocationReason.CESSATION_OF_OPERATION]: "The certificate is not renewed after this.",
  [RevocationReason.PRIVILEGE_WITHDRAWN]: "The certificate is not renewed after this.",
};

const isUrgent = (reason: RevocationReason) =>
  reason === RevocationReason.KEY_COMPROMISE || reason === RevocationReason.CA_COMPROMISE;

/** Why something is revoked, and whether it is although it is in use. */
export function RevocationFields({
  wish,
  onChange,
}: {
  wish: RevocationWish;
  onChange(wish: RevocationWish): void;
}) {
  return (
    <div className="flex flex-col gap-3">
      <ReasonField
        reason={wish.reason}
        hint={consequences[wish.reason]}
        onChange={(reason) => onChange({ ...wish, reason })}
      />
      {!isUrgent(wish.reason) && (
        <Checkbox
          label="Revoke also what is in use"
          hint="Clients that check will refuse what a target serves then"
          checked={wish.force}
          onChange={(event) => onChange({ ...wish, force: event.target.checked })}
        />
      )}
    </div>
  );
}

/** Why something is revoked (RFC 5280, 5.3.1). */
export function ReasonField({
  reason,
  hint,
  onChange,
}: {
  reason: RevocationReason;
  hint?: string | undefined;
  onChange(reason: RevocationReason): void;
}) {
  return (
    <Field label="Reason" hint={hint}>
      {(field) => (
        <Select
          {...field}
          value={reason}
          onChange={(event) => onChange(Number(event.target.value) as RevocationReason)}
        >
          {RevocationReasonSchema.values
            .filter(({ number }) => number !== 0)
            .map(({ number }) => (
              <option key={number} value={number}>
                {readable(RevocationReasonSchema, number as RevocationReason)}
              </option>
            ))}
        </Select>
      )}
    </Field>
  );
}

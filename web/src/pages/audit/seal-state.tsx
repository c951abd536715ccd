import { useQuery } from "@connectrpc/connect-query";
import { ShieldAlert, ShieldCheck } from "lucide-react";
import { useState } from "react";
import { AuditService } from "#gen/certctl/v1/audit_pb.ts";
import { Button } from "../../ui/button.tsx";
import { CodeBlock, CopyText, shortHex } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Facts } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { countText, numberText } from "../../ui/time-text.ts";

/** Longer than a row takes to settle and be sealed. */
const lateSeconds = 300;

/** How far the audit is sealed, and how that is checked from outside. */
export function SealState() {
  const [isOpen, setOpen] = useState(false);
  const status = useQuery(AuditService.method.getAuditStatus).data?.status;
  if (!status) return null;
  const { sealed, unsealed, lagSeconds, checkpoint, keys } = status;
  const isLate = lagSeconds > lateSeconds;
  const verify = checkpoint
    ? `certctl audit verify --key ${keys[0]?.id ?? ""} --expect ${checkpoint.seq}:${checkpoint.hash}`
    : "certctl audit verify";
  return (
    <>
      <Button kind="quiet" icon={isLate ? ShieldAlert : ShieldCheck} onClick={() => setOpen(true)}>
        {isLate ? `Sealing is ${Math.round(lagSeconds / 60)} min late` : `Sealed to ${numberText(sealed)}`}
      </Button>
      {isOpen && (
        <Dialog title="How the audit is protected" onClose={() => setOpen(false)} shape="wide">
          <div className="flex flex-col gap-4">
            <p className="text-fg1">
              Rows are written once. Settled ones get a number and are covered by signed checkpoints: one that
              is changed, missing or cut off shows when they are verified. Younger rows are protected by the
              database alone.
            </p>
            <Facts
              facts={[
                ["Sealed", `${numberText(sealed)} rows`],
                ["Not sealed yet", countText(unsealed, "row")],
                unsealed > 0 && ["The oldest of them", <Time key="oldest" at={status.oldestUnsealedAt} />],
                checkpoint && ["Newest checkpoint", <Time key="checkpoint" at={checkpoint.time} isExact />],
                checkpoint && [
                  "Its hash",
                  <CopyText
                    key="hash"
                    text={checkpoint.hash}
                    shown={shortHex(checkpoint.hash, 24)}
                    label="the hash"
                  />,
                ],
                keys[0] && [
                  "Signed by",
                  <CopyText
                    key="key"
                    text={keys[0].id}
                    shown={shortHex(keys[0].id, 28)}
                    label="the key's id"
                  />,
                ],
              ]}
            />
            <p className="text-fg1">
              Verify everything, from a machine that you trust, with what you noted before:
            </p>
            <CodeBlock text={verify} label="the command" />
          </div>
        </Dialog>
      )}
    </>
  );
}

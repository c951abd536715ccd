import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";

/** A secret, this once. */
export function NewSecret({ name, secret, onClose }: { name: string; secret: string; onClose(): void }) {
  return (
    <Dialog
      title={`The key of ${name}`}
      onClose={onClose}
      footer={
        <Button kind="primary" onClick={onClose}>
          I have kept it
        </Button>
      }
    >
      <div className="flex flex-col gap-3">
        <p className="text-fg1">It is shown now and never again: certctl keeps only its hash.</p>
        <CodeBlock text={secret} label="the key" />
        <p className="text-fg2">
          For the Authorization header, as{" "}
          <code className="font-mono text-sm">Bearer {secret.slice(0, 6)}…</code>, for{" "}
          <code className="font-mono text-sm">certctl login</code>, and to sign in here.
        </p>
      </div>
    </Dialog>
  );
}

import { type ReactNode, useState } from "react";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { ErrorNote } from "./error-card.tsx";
import { Field, Input } from "./field.tsx";

export interface ConfirmProps {
  title: string;
  /** What happens, in numbers. */
  children: ReactNode;
  /** Verb and object: "Archive 3 certificates". */
  action: string;
  isDangerous?: boolean;
  /** What has to be typed first, for what cannot be undone. */
  typedName?: string;
  onConfirm(): Promise<unknown>;
  onClose(): void;
}

/** Asks once more, says what it will do, and shows why it did not. */
export function Confirm({
  title,
  children,
  action,
  isDangerous,
  typedName,
  onConfirm,
  onClose,
}: ConfirmProps) {
  const [typed, setTyped] = useState("");
  const [state, setState] = useState<{ isPending: boolean; error?: unknown }>({ isPending: false });
  const confirm = async () => {
    setState({ isPending: true });
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setState({ isPending: false, error });
    }
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind={isDangerous ? "danger" : "primary"}
            isPending={state.isPending}
            disabledReason={typedName && typed !== typedName ? `Type ${typedName} first` : undefined}
            onClick={() => void confirm()}
          >
            {action}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3 text-fg1">
        {children}
        {typedName && (
          <Field label={`Type ${typedName} to go on`}>
            {(field) => (
              <Input
                {...field}
                value={typed}
                onChange={(event) => setTyped(event.target.value)}
                autoComplete="off"
              />
            )}
          </Field>
        )}
        {state.error !== undefined && <ErrorNote error={state.error} />}
      </div>
    </Dialog>
  );
}

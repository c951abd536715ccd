import { type ReactNode, useId, useLayoutEffect, useRef, useState } from "react";
import { Button } from "../ui/button.tsx";
import { Dialog, type DialogProps } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-card.tsx";

interface FormDialogProps extends Pick<DialogProps, "title" | "onClose" | "shape"> {
  /** Verb and object: "Create target". */
  action: string;
  /** A rejection is shown by `error`, which the caller's mutation keeps. */
  onSubmit(): Promise<unknown>;
  error: unknown;
  isPending: boolean;
  isDangerous?: boolean;
  /** Before the buttons. */
  extra?: ReactNode;
  children: ReactNode;
}

/**
 * A form in a dialog. What the control plane refuses stands at its field, and the first such field gets the focus; what no
 * field shows stands at the end.
 */
export function FormDialog({
  action,
  onSubmit,
  error,
  isPending,
  isDangerous = false,
  extra,
  children,
  ...dialog
}: FormDialogProps) {
  const id = useId();
  const form = useRef<HTMLFormElement>(null);
  const [isPlaced, setPlaced] = useState(false);
  // Before it is painted: what a field shows does not flash at the end.
  useLayoutEffect(() => {
    const first = error ? form.current?.querySelector<HTMLElement>("[aria-invalid=true]") : null;
    setPlaced(Boolean(first));
    first?.focus();
  }, [error]);
  return (
    <Dialog
      {...dialog}
      footer={
        <>
          {extra}
          <Button onClick={dialog.onClose}>Cancel</Button>
          <Button kind={isDangerous ? "danger" : "primary"} type="submit" form={id} isPending={isPending}>
            {action}
          </Button>
        </>
      }
    >
      <form
        ref={form}
        id={id}
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isPending) void onSubmit().catch(() => {});
        }}
      >
        {children}
        {Boolean(error) && !isPlaced && <ErrorNote error={error} />}
      </form>
    </Dialog>
  );
}

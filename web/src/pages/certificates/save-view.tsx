import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { type SavedView, SavedViewResource, SavedViewService } from "#gen/certctl/v1/saved_views_pb.ts";
import { violationsOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { ErrorNote } from "../../ui/error-card.tsx";
import { Checkbox, Field, Input } from "../../ui/field.tsx";
import { stringifySearch, writeParameters } from "../../url/search.ts";
import { filterOf, type ListValues, listParameters } from "./parameters.ts";

interface SaveViewProps {
  values: ListValues;
  /** The view that is open: it can be replaced. */
  current: SavedView | undefined;
  onClose(): void;
}

/** Keeps the filters, the order and the columns under a name. */
export function SaveView({ values, current, onClose }: SaveViewProps) {
  const [draft, setDraft] = useState({
    name: current?.name ?? "",
    shared: current?.shared ?? false,
    pinned: current?.pinned ?? true,
    isDefault: current?.isDefault ?? false,
  });
  const queries = useQueryClient();
  const navigate = useNavigate();
  const share = usePermission("saved-views:share");
  const create = useMutation(SavedViewService.method.createSavedView);
  const update = useMutation(SavedViewService.method.updateSavedView);
  const error = create.error ?? update.error;
  const search = writeParameters(listParameters, {}, { ...values, page: 1, view: "", new: false });
  const request = {
    ...draft,
    resource: SavedViewResource.CERTIFICATES,
    query: stringifySearch(search).slice(1),
    filter: filterOf(values),
  };
  const save = async () => {
    const isReplaced = current !== undefined && current.name === draft.name;
    const { savedView } = isReplaced
      ? await update.mutateAsync({ ...request, id: current.id })
      : await create.mutateAsync(request);
    await refresh(queries, SavedViewService);
    onClose();
    void navigate({ to: ".", search: { ...search, view: savedView?.id } as never, replace: true });
  };
  return (
    <Dialog
      title="Save this view"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            type="submit"
            form="save-view"
            isPending={create.isPending || update.isPending}
          >
            {current && current.name === draft.name ? `Replace ${current.name}` : "Save the view"}
          </Button>
        </>
      }
    >
      <form
        id="save-view"
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void save().catch(() => {});
        }}
      >
        <Field label="Name" error={violationsOf(error).find(({ field }) => field === "name")?.description}>
          {(ids) => (
            <Input
              {...ids}
              autoFocus
              required
              value={draft.name}
              onChange={(event) => setDraft({ ...draft, name: event.target.value })}
            />
          )}
        </Field>
        <Checkbox
          label="Pinned"
          hint="Stands over the list, with its count"
          checked={draft.pinned}
          onChange={(event) => setDraft({ ...draft, pinned: event.target.checked })}
        />
        <Checkbox
          label="What the list opens with"
          checked={draft.isDefault}
          onChange={(event) => setDraft({ ...draft, isDefault: event.target.checked })}
        />
        <Checkbox
          label="Shared with everybody"
          hint={share.reason}
          aria-disabled={!share.isAllowed || undefined}
          checked={draft.shared}
          onChange={(event) => share.isAllowed && setDraft({ ...draft, shared: event.target.checked })}
        />
        {error && <ErrorNote error={error} />}
      </form>
    </Dialog>
  );
}

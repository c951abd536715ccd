import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Bookmark, BookmarkPlus, Trash2 } from "lucide-react";
import { useState } from "react";
import { type SavedView, SavedViewResource, SavedViewService } from "#gen/certctl/v1/saved_views_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { Button } from "../../ui/button.tsx";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "../../ui/menu.tsx";
import { numberText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { parseSearch } from "../../url/search.ts";
import type { ListValues } from "./parameters.ts";
import { SaveView } from "./save-view.tsx";

const all = { resource: [SavedViewResource.CERTIFICATES], perPage: 100, sort: "name" };

export function useCertificateViews(): readonly SavedView[] {
  return useQuery(SavedViewService.method.listSavedViews, all).data?.data ?? [];
}

/** Goes to what a view shows; its id stays in the URL, so that one sees where one is. */
export function useOpenView() {
  const navigate = useNavigate();
  return ({ id, query }: SavedView, options: { replace?: boolean } = {}) =>
    navigate({ to: "/certificates", search: { ...parseSearch(query), view: id } as never, ...options });
}

/** Filters under a name: to open, to save, to take away. */
export function ViewsMenu({ values }: { values: ListValues }) {
  const views = useCertificateViews();
  const open = useOpenView();
  const [isSaving, setSaving] = useState(false);
  const queries = useQueryClient();
  const current = views.find(({ id }) => id === values.view);
  const remove = useMutation(SavedViewService.method.deleteSavedView, {
    onSuccess: () => {
      toast("The view is gone from the lists");
      return refresh(queries, SavedViewService);
    },
    onError: (error) => toast(error.rawMessage),
  });
  return (
    <>
      <Menu trigger={<Button icon={Bookmark}>{current?.name ?? "Views"}</Button>}>
        {views.length > 0 && <MenuLabel>Views</MenuLabel>}
        {views.map((view) => (
          <MenuItem
            key={view.id}
            hint={view.count === undefined ? "" : numberText(view.count)}
            onSelect={() => void open(view)}
          >
            {view.name}
            {view.shared && <span className="text-fg2"> shared</span>}
          </MenuItem>
        ))}
        {views.length > 0 && <MenuSeparator />}
        <MenuItem icon={BookmarkPlus} onSelect={() => setSaving(true)}>
          Save this view…
        </MenuItem>
        {current && (
          <MenuItem icon={Trash2} isDangerous onSelect={() => remove.mutate({ id: current.id })}>
            Remove {current.name}
          </MenuItem>
        )}
      </Menu>
      {isSaving && <SaveView values={values} current={current} onClose={() => setSaving(false)} />}
    </>
  );
}

/** The pinned views, with what each has to show. */
export function PinnedViews({ values }: { values: ListValues }) {
  const open = useOpenView();
  const pinned = useCertificateViews().filter((view) => view.pinned);
  if (pinned.length === 0) return null;
  return (
    <ul aria-label="Pinned views" className="flex flex-wrap gap-2">
      {pinned.map((view) => (
        <li key={view.id}>
          <Button
            isSmall
            kind={view.id === values.view ? "default" : "quiet"}
            aria-pressed={view.id === values.view}
            onClick={() => void open(view)}
          >
            {view.name}
            {view.count !== undefined && <span className="text-fg2">{numberText(view.count)}</span>}
          </Button>
        </li>
      ))}
    </ul>
  );
}

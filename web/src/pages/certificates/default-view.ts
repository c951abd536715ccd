import { useSearch } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useCertificateViews, useOpenView } from "./views-menu.tsx";

/** A list that is opened without a filter shows the view that its reader made the default: the own one before a shared one. */
export function useDefaultView(): void {
  const search = useSearch({ strict: false });
  const isBare = useRef(Object.keys(search).length === 0);
  const views = useCertificateViews();
  const open = useOpenView();
  useEffect(() => {
    if (!isBare.current || views.length === 0) return;
    isBare.current = false;
    const defaults = views.filter(({ isDefault }) => isDefault);
    const view = defaults.find(({ shared }) => !shared) ?? defaults[0];
    if (view && location.search === "") void open(view, { replace: true });
  }, [views, open]);
}

import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { type Parameters, readParameters, type Search, type Values, writeParameters } from "./search.ts";

/**
 * A page's state that lies in the URL. Setting pushes a history entry, so that "back" undoes a filter; `replace` is for
 * what changes while one types. `parameters` must be a constant of the module.
 */
export function useParameters<P extends Parameters>(parameters: P) {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const values = useMemo(() => readParameters(parameters, search), [parameters, search]);
  const set = useCallback(
    (changes: Partial<Values<P>>, options: { replace?: boolean } = {}) =>
      void navigate({
        to: ".",
        search: ((before: Search) => writeParameters(parameters, before, changes)) as never,
        replace: options.replace ?? false,
        resetScroll: false,
      }),
    [navigate, parameters],
  );
  return [values, set] as const;
}

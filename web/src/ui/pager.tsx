import { ChevronLeft, ChevronRight } from "lucide-react";
import { Button } from "./button.tsx";
import { numberText } from "./time-text.ts";

/** Where in the list one is, and the way on. */
export function Pager({
  page,
  perPage,
  total,
  onPage,
}: {
  page: number;
  perPage: number;
  total: number;
  onPage(page: number): void;
}) {
  const first = Math.min((page - 1) * perPage + 1, total);
  const last = Math.min(page * perPage, total);
  const pages = Math.max(1, Math.ceil(total / perPage));
  return (
    <nav aria-label="Pages" className="flex items-center gap-2 py-2 text-fg1">
      <span className="flex-1">
        {numberText(first)}–{numberText(last)} of {numberText(total)}
      </span>
      <Button
        isSmall
        icon={ChevronLeft}
        disabledReason={page <= 1 ? "This is the first page" : undefined}
        onClick={() => onPage(page - 1)}
      >
        Previous
      </Button>
      <Button
        isSmall
        icon={ChevronRight}
        disabledReason={page >= pages ? "This is the last page" : undefined}
        onClick={() => onPage(page + 1)}
      >
        Next
      </Button>
    </nav>
  );
}

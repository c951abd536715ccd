import { Table2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "../ui/button.tsx";

interface FigureProps {
  /** What the chart shows, in one sentence. */
  sentence: ReactNode;
  /** The same as numbers. */
  table: { head: readonly string[]; rows: readonly (readonly (string | number)[])[] };
  actions?: ReactNode;
  children: ReactNode;
}

/** A chart with its sentence above, and its numbers as a table where they are wanted. */
export function Figure({ sentence, table, actions, children }: FigureProps) {
  const [isTable, setTable] = useState(false);
  return (
    <figure className="flex min-w-0 flex-col gap-2">
      <figcaption className="flex flex-wrap items-start gap-x-3 gap-y-1 text-fg1">
        <span className="min-w-0 flex-1 basis-60">{sentence}</span>
        {actions}
        <Button isSmall kind="quiet" icon={Table2} aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          {isTable ? "Show as chart" : "Show as table"}
        </Button>
      </figcaption>
      {isTable ? <Numbers {...table} /> : children}
    </figure>
  );
}

function Numbers({ head, rows }: FigureProps["table"]) {
  return (
    <section
      aria-label="The numbers"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by the keyboard
      tabIndex={0}
      className="max-h-72 overflow-auto rounded-control border border-line1"
    >
      <table className="w-full border-collapse">
        <thead>
          <tr className="sticky top-0 bg-bg1">
            {head.map((name, index) => (
              <th
                key={name}
                scope="col"
                className={`h-7 px-2 font-medium text-fg2 text-sm ${index === 0 ? "text-left" : "text-right"}`}
              >
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, ...values]) => (
            <tr key={name} className="border-line1 border-t">
              <th scope="row" className="h-7 px-2 text-left font-normal">
                {name}
              </th>
              {values.map((value, index) => (
                <td key={head[index + 1]} className="px-2 text-right text-fg1">
                  {value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

import { TriangleAlert } from "lucide-react";
import type { TrustMapNode } from "#gen/certctl/v1/trust_map_pb.ts";
import { cx } from "../../ui/class-names.ts";
import { numberText } from "../../ui/time-text.ts";
import { nodeName } from "./parameters.ts";

interface MapNodeProps {
  node: TrustMapNode;
  isPicked: boolean;
  /** Whether the picked node touches it. */
  isLit: boolean;
  /** How many of its certificates the picked node touches. */
  touched: number | undefined;
  onPick(id: string): void;
}

export function MapNode({ node, isPicked, isLit, touched, onPick }: MapNodeProps) {
  const { id, value, certificates, problems } = node;
  const name = nodeName(node);
  return (
    <button
      type="button"
      aria-pressed={isPicked}
      title={name}
      onClick={() => onPick(id)}
      className={cx(
        "flex size-full items-center gap-2 rounded-control border px-2 text-left hover:bg-bg2",
        isPicked
          ? "border-accent bg-bg3"
          : isLit
            ? "border-line2 bg-bg1"
            : "border-line1 border-dashed bg-bg0",
      )}
    >
      <span className={cx("min-w-0 flex-1 truncate", value === "" || !isLit ? "text-fg2" : "text-fg0")}>
        {name}
      </span>
      {problems > 0 && (
        <span className="tone-warn tone-text inline-flex items-center gap-1 text-sm">
          <TriangleAlert aria-hidden size={12} />
          {numberText(problems)}
          <span className="sr-only">{problems === 1 ? "problem of" : "problems of"}</span>
        </span>
      )}
      <span className="text-fg1">
        {touched !== undefined && touched !== certificates && !isPicked && (
          <span className="text-accent">{numberText(touched)} of </span>
        )}
        {numberText(certificates)}
        <span className="sr-only">{certificates === 1 ? " certificate" : " certificates"}</span>
      </span>
    </button>
  );
}

import { Link } from "@tanstack/react-router";
import { Crosshair, RefreshCw, X } from "lucide-react";
import { useState } from "react";
import { OperationKind } from "#gen/certctl/v1/operations_pb.ts";
import type { TrustMapNode } from "#gen/certctl/v1/trust_map_pb.ts";
import { usePermission } from "../../session/session.ts";
import { Button, buttonClass, IconButton } from "../../ui/button.tsx";
import { countText } from "../../ui/time-text.ts";
import { BulkDialog } from "../certificates/bulk-dialog.tsx";
import { layerWords, listSearch, type MapValues, nodeName, type TrustMap } from "./parameters.ts";

interface PickedNodeProps {
  map: TrustMap;
  values: Pick<MapValues, "root" | "only">;
  /** Undefined: all of the map. */
  node: TrustMapNode | undefined;
  onFocus(root: string): void;
  onClose(): void;
}

/** What is looked at, and what can be done with all of its certificates. */
export function PickedNode({ map, values, node, onFocus, onClose }: PickedNodeProps) {
  const { root } = values;
  const [isReissuing, setReissuing] = useState(false);
  const operate = usePermission("operations:write");
  const { certificates, filter } = node ?? map;
  const name = node
    ? `${layerWords(node.layer).one} ${nodeName(node)}`
    : root === ""
      ? "The whole map"
      : nameOfRoot(map, root);
  const reason =
    operate.reason ?? (filter ? undefined : "No filter chooses exactly these: focus on this alone first");
  return (
    <section
      aria-label="What is looked at"
      className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-2 rounded-panel border border-line1 bg-bg1 px-4 py-2"
    >
      <p aria-live="polite" className="min-w-0 flex-1 basis-60">
        <span className="font-medium">{name}</span>{" "}
        <span className="text-fg1">
          {countText(certificates, "certificate")}, {countText((node ?? map).problems, "problem")}
        </span>
      </p>
      {node && node.id !== root && (
        <Button isSmall icon={Crosshair} onClick={() => onFocus(node.id)}>
          Focus on it
        </Button>
      )}
      <Link
        to="/certificates"
        search={listSearch(values, node) as never}
        className={buttonClass("default", true)}
      >
        Show {countText(certificates, "certificate")}
      </Link>
      <Button isSmall icon={RefreshCw} disabledReason={reason} onClick={() => setReissuing(true)}>
        Reissue {countText(certificates, "certificate")}
      </Button>
      {node && <IconButton label="Look at the whole map" icon={X} onClick={onClose} />}
      {isReissuing && filter && (
        <BulkDialog
          kind={OperationKind.RENEW}
          filter={filter}
          what={`everything of ${name}`}
          onClose={() => setReissuing(false)}
          onDone={() => {}}
        />
      )}
    </section>
  );
}

function nameOfRoot(map: TrustMap, root: string): string {
  const node = map.nodes.find(({ id }) => id === root);
  return node ? `${layerWords(node.layer).one} ${nodeName(node)}` : root.replace(":", " ").replace("_", " ");
}

import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Network, X } from "lucide-react";
import { TrustMapService } from "#gen/certctl/v1/trust_map_pb.ts";
import { Button } from "../../ui/button.tsx";
import { Choice } from "../../ui/choice.tsx";
import { EmptyState, Skeleton } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { FilterBar } from "../../ui/filter-bar.tsx";
import { Page, PageHeader, Panel } from "../../ui/panel.tsx";
import { useParameters } from "../../url/use-parameters.ts";
import { MapFigure } from "./map-figure.tsx";
import { mapParameters, mapRequest } from "./parameters.ts";
import { PickedNode } from "./picked-node.tsx";

/** What depends on what, from the CAs that sign to the people who answer. */
export function MapPage() {
  const [values, set] = useParameters(mapParameters);
  const request = mapRequest(values);
  const query = useQuery(TrustMapService.method.getTrustMap, request, { placeholderData: keepPreviousData });
  const map = query.data?.trustMap;
  // What the picked node touches, exactly: two nodes may be joined by certificates that are not its own.
  const touched = useQuery(
    TrustMapService.method.getTrustMap,
    { ...request, root: values.pick },
    { enabled: values.pick !== "", placeholderData: keepPreviousData },
  );
  const focus = (root: string) => set({ root, pick: "" });
  const node = map?.nodes.find(({ id }) => id === values.pick);
  return (
    <Page isWide>
      <PageHeader title="Trust map" />
      <FilterBar>
        <Choice
          label="Certificates"
          values={[
            { value: "all", label: "all" },
            { value: "problems", label: "with problems" },
          ]}
          chosen={values.only}
          onChange={(only) => set({ only })}
        />
        <Choice
          label="By"
          values={[
            { value: "team", label: "team" },
            { value: "environment", label: "environment" },
          ]}
          chosen={values.group}
          onChange={(group) => set({ group, pick: "" })}
        />
        {values.root && (
          <Button icon={X} onClick={() => focus("")}>
            Show the whole map
          </Button>
        )}
      </FilterBar>
      {query.error && !map ? (
        <ErrorCard error={query.error} what="the trust map" onRetry={() => void query.refetch()} />
      ) : !map ? (
        <Panel>
          <Skeleton lines={8} />
        </Panel>
      ) : map.certificates === 0 ? (
        <EmptyState
          icon={Network}
          title={values.only === "problems" ? "No certificate has a problem" : "No certificates here"}
          actions={
            (values.root || values.only === "problems") && (
              <Button onClick={() => set({ root: "", only: "all", pick: "" })}>Show the whole map</Button>
            )
          }
        >
          {values.root === "" && values.only === "all" && "It fills as certificates are declared and issued."}
        </EmptyState>
      ) : (
        <>
          <PickedNode
            map={map}
            values={values}
            node={node}
            onFocus={focus}
            onClose={() => set({ pick: "" })}
          />
          <Panel>
            <div aria-busy={query.isPlaceholderData} className={query.isPlaceholderData ? "opacity-60" : ""}>
              <MapFigure
                map={map}
                picked={values.pick}
                touched={values.pick === "" ? undefined : touched.data?.trustMap}
                onPick={(id) => set({ pick: id === values.pick ? "" : id })}
              />
            </div>
          </Panel>
        </>
      )}
    </Page>
  );
}

import { useMemo } from "react";
import { Figure } from "../../charts/figure.tsx";
import { useWidth } from "../../charts/use-width.ts";
import { cx } from "../../ui/class-names.ts";
import { countText, numberText } from "../../ui/time-text.ts";
import { edgePath, gapPx, headPx, leastColumnPx, place, rowPx } from "./layout.ts";
import { MapNode } from "./map-node.tsx";
import { layerWords, nodeName, type TrustMap } from "./parameters.ts";

interface MapFigureProps {
  map: TrustMap;
  /** The id of the node that is looked at; empty: none. */
  picked: string;
  /** What it touches. */
  touched: TrustMap | undefined;
  onPick(id: string): void;
}

/** The layers as columns of lists, with what joins them drawn between; below one another where there is no room. */
export function MapFigure({ map, picked, touched, onPick }: MapFigureProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const isWide = width >= map.layers.length * leastColumnPx;
  const counts = useMemo(
    () => touched && new Map(touched.nodes.map(({ id, certificates }) => [id, certificates])),
    [touched],
  );
  const isLit = (id: string) => counts === undefined || id === picked || counts.has(id);
  const places = useMemo(() => place(map, width), [map, width]);
  return (
    <Figure sentence={sentenceOf(map)} table={tableOf(map)}>
      <div ref={ref} className="relative">
        {isWide && (
          <svg
            aria-hidden
            width={width}
            height={places.height}
            className="pointer-events-none absolute inset-0"
          >
            {map.edges.map(({ from, to, certificates }) => (
              <path
                key={`${from} ${to}`}
                d={edgePath(places, from, to)}
                fill="none"
                strokeWidth={Math.min(6, 1 + Math.log10(certificates))}
                className={picked !== "" && isLit(from) && isLit(to) ? "stroke-accent" : "stroke-line2"}
                opacity={isLit(from) && isLit(to) ? (picked === "" ? 0.7 : 0.8) : 0.2}
              />
            ))}
          </svg>
        )}
        <div
          className={cx("relative grid items-start", !isWide && "gap-4")}
          style={
            isWide
              ? { gridTemplateColumns: `repeat(${map.layers.length}, minmax(0, 1fr))`, columnGap: gapPx }
              : undefined
          }
        >
          {map.layers.map(({ layer, total, shown }) => (
            <section key={layer} aria-label={layerWords(layer).many} className="min-w-0">
              <h2
                className="flex items-center gap-1.5 font-medium text-fg2 text-sm"
                style={{ height: headPx }}
              >
                {layerWords(layer).many} <span className="font-normal">{numberText(total)}</span>
              </h2>
              <ul className="flex flex-col">
                {map.nodes
                  .filter((node) => node.layer === layer)
                  .map((node) => (
                    <li key={node.id} className="py-[2px]" style={{ height: rowPx }}>
                      <MapNode
                        node={node}
                        isPicked={node.id === picked}
                        isLit={isLit(node.id)}
                        touched={counts?.get(node.id)}
                        onPick={onPick}
                      />
                    </li>
                  ))}
              </ul>
              {shown < total && (
                <p className="px-2 py-1 text-fg2 text-sm">and {numberText(total - shown)} more</p>
              )}
            </section>
          ))}
        </div>
      </div>
    </Figure>
  );
}

function sentenceOf({ certificates, problems, layers, nodes, truncated }: TrustMap): string {
  const parts = layers.map(({ layer, total: all }) => {
    // Those without are a node, but no team, agent or owner.
    const total = nodes.some((node) => node.layer === layer && node.value === "") ? all - 1 : all;
    const { one, many } = layerWords(layer);
    const noun = (total === 1 ? one : many).replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
    return `${numberText(total)} ${noun}`;
  });
  const bad = problems === 0 ? "none with a problem" : `${numberText(problems)} with a problem`;
  const cut = truncated ? " The smallest are left out." : "";
  return `${countText(certificates, "certificate")}, ${bad}: ${parts.join(", ")}.${cut}`;
}

function tableOf(map: TrustMap) {
  return {
    head: ["Name", "Layer", "Certificates", "Problems"],
    rows: map.nodes.map((node) => [
      nodeName(node),
      layerWords(node.layer).one,
      node.certificates,
      node.problems,
    ]),
  };
}

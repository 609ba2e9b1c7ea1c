import { useMemo } from "react";
import type { NodeView } from "../../../wire/node.ts";
import type { VersionsView } from "../../../wire/settings.ts";
import { Panel } from "../../parts/page.tsx";
import { Empty, Loaded } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { type Format, NOTHING, useFormat } from "../../text/format.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { StatusBadge } from "../endpoints/status.tsx";
import { useNodes } from "./calls.ts";
import { NodeWindow } from "./node.tsx";
import { DEFAULTS } from "./state.ts";
import { settingsTexts } from "./texts.ts";
import { Version } from "./version.tsx";
import { differingNodes, VERSION_PARTS, type VersionPart } from "./versions.ts";

/** So many are named in a sentence. */
const NAMED_MAX = 5;

type T = Translate<keyof typeof settingsTexts.en>;

/** What the nodes run with, and a sentence where that is not what the balancer runs with. */
export function Nodes({ own }: { own: VersionsView }) {
  const t = useTexts(settingsTexts);
  const query = useNodes();
  const [{ node }, change] = useUrlState(DEFAULTS);
  return (
    <Panel title={t("nodes")}>
      <Loaded query={query}>
        {({ nodes }) => (
          <>
            <Differing {...{ own, nodes }} />
            <NodeTable {...{ own, nodes }} onOpen={(id) => change({ node: id })} />
            <NodeWindow
              {...{ own, isOpen: node !== "", onClose: () => change({ node: "" }) }}
              node={nodes.find(({ endpoint_id }) => endpoint_id === node)}
            />
          </>
        )}
      </Loaded>
    </Panel>
  );
}

function Differing({ own, nodes }: { own: VersionsView; nodes: readonly NodeView[] }) {
  const t = useTexts(settingsTexts);
  const differing = differingNodes(own, nodes);
  if (differing.length === 0) return null;
  const names = differing.slice(0, NAMED_MAX).map(({ name }) => name);
  const more = differing.length > NAMED_MAX ? ", …" : "";
  return (
    <div className="note is-warn settings-note">
      {t("differ", { count: differing.length, names: names.join(", ") + more })}
    </div>
  );
}

interface NodeTableProps {
  own: VersionsView;
  nodes: readonly NodeView[];
  onOpen(id: string): void;
}

function NodeTable({ own, nodes, onOpen }: NodeTableProps) {
  const t = useTexts(settingsTexts);
  const format = useFormat();
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is another one with each drawing
  const columns = useMemo(() => columnsOf({ t, format, own, onOpen }), [t, format, own]);
  return (
    <Table
      {...{ label: t("nodes"), columns, rows: nodes, idOf: ({ endpoint_id }) => endpoint_id }}
      empty={<Empty title={t("nodes_empty")} text={t("nodes_empty_text")} />}
      onOpen={({ endpoint_id }) => onOpen(endpoint_id)}
    />
  );
}

interface ColumnParts extends Pick<NodeTableProps, "own" | "onOpen"> {
  t: T;
  format: Format;
}

function columnsOf({ t, format, own, onOpen }: ColumnParts): readonly Column<NodeView>[] {
  const version = (part: VersionPart) => ({
    ...{ key: part, title: t(part), isMinor: part !== "llmlb" },
    width: "minmax(52px, 1fr)",
    cell: ({ versions }: NodeView) => <Version part={part} own={own} versions={versions} />,
  });
  return [
    {
      ...{ key: "name", title: t("name"), width: "minmax(56px, 1.4fr)" },
      cell: ({ endpoint_id, name }) => (
        <button type="button" className="link cut" onClick={() => onOpen(endpoint_id)}>
          {name}
        </button>
      ),
    },
    {
      ...{ key: "status", title: t("status"), width: "minmax(66px, 110px)" },
      cell: (node) => <StatusBadge endpoint={node} />,
    },
    ...VERSION_PARTS.map(version),
    {
      ...{ key: "backend", title: t("backend"), width: "minmax(56px, 110px)" },
      cell: ({ backend }) => backend ?? t("backend_none"),
    },
    {
      ...{ key: "devices", title: t("devices"), width: "minmax(0, 1.6fr)", isMinor: true },
      cell: (node) => devicesText(node, format),
    },
  ];
}

/** Its GPUs with their memory; without any the processor. */
function devicesText({ devices }: NodeView, { bytes }: Format): string {
  const gpus = devices.filter(({ type }) => type === "gpu" || type === "igpu");
  const shown = gpus.length > 0 ? gpus : devices.slice(0, 1);
  return (
    shown
      .map((one) => `${one.description || one.name} ${bytes(one.total_memory_bytes)}`)
      .join(", ") || NOTHING
  );
}

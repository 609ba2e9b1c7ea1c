import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { ENDPOINT_KINDS, type EndpointView } from "../../../wire/endpoint.ts";
import { useMay } from "../../api/account.ts";
import { useEndpoints } from "../../api/endpoints.ts";
import { Button } from "../../parts/button.tsx";
import { FilterChoice, Filters } from "../../parts/filters.tsx";
import { Page, Panel } from "../../parts/page.tsx";
import { Empty, Loaded } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { type Format, useFormat } from "../../text/format.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { EndpointForm } from "./form.tsx";
import { JoinWindow } from "./join.tsx";
import { kindName, type ShownStatus, Slots, StatusBadge, shownStatusOf } from "./status.tsx";
import { endpointsTexts } from "./texts.ts";

/** `open`: the window that is open, `add` or `join`. */
const DEFAULTS = { search: "", status: "", kind: "", sort: "name", open: "" };

/** All endpoints, and how others are added. */
export function Endpoints() {
  const t = useTexts(endpointsTexts);
  const mayManage = useMay()("endpoints.manage");
  const query = useEndpoints();
  const [state, change] = useUrlState(DEFAULTS);
  const close = () => change({ open: "" });
  const actions = (
    <>
      <Button icon="plus" onClick={() => change({ open: "join" })}>
        {t("join")}
      </Button>
      <Button kind="primary" icon="plus" onClick={() => change({ open: "add" })}>
        {t("add")}
      </Button>
    </>
  );
  return (
    <Page title={useTitle("endpoints")} actions={mayManage && actions}>
      <Filters label={t("search")} text={state.search} onText={(search) => change({ search })}>
        <FilterChoice
          {...{ label: t("status"), value: state.status }}
          options={[
            ["", t("all_statuses")],
            ...STATUSES.map((status) => [status, t(`status_${status}`)] as const),
          ]}
          onChange={(status) => change({ status })}
        />
        <FilterChoice
          {...{ label: t("kind"), value: state.kind }}
          options={[
            ["", t("all_kinds")],
            ...ENDPOINT_KINDS.map((kind) => [kind, kindName(kind)] as const),
          ]}
          onChange={(kind) => change({ kind })}
        />
      </Filters>
      <Panel>
        <Loaded query={query}>
          {({ endpoints }) => <List endpoints={endpoints} state={state} change={change} />}
        </Loaded>
      </Panel>
      {mayManage && (
        <>
          <EndpointForm isOpen={state.open === "add"} onClose={close} />
          <JoinWindow isOpen={state.open === "join"} onClose={close} />
        </>
      )}
    </Page>
  );
}

interface StateProps {
  state: typeof DEFAULTS;
  change(changes: Partial<typeof DEFAULTS>): void;
}

const STATUSES: readonly ShownStatus[] = ["online", "drained", "error", "offline", "pending"];

function List({ endpoints, state, change }: StateProps & { endpoints: readonly EndpointView[] }) {
  const t = useTexts(endpointsTexts);
  const format = useFormat();
  const navigate = useNavigate();
  const columns = useMemo(() => columnsOf(t, format), [t, format]);
  const { search, status, kind } = state;
  const rows = useMemo(
    () => filtered(endpoints, { search, status, kind }),
    [endpoints, search, status, kind],
  );
  return (
    <Table
      {...{ label: t("list"), columns, rows, idOf: ({ id }: EndpointView) => id }}
      {...{ sort: state.sort, onSort: (sort) => change({ sort }) }}
      onOpen={({ id }) => void navigate({ to: "/endpoints/$id", params: { id } as never })}
      empty={
        endpoints.length === 0 ? (
          <Empty title={t("empty")} text={t("empty_text")} />
        ) : (
          <Empty title={t("no_match")} />
        )
      }
    />
  );
}

type Filter = Pick<typeof DEFAULTS, "search" | "status" | "kind">;

function filtered(endpoints: readonly EndpointView[], { search, status, kind }: Filter) {
  const part = search.trim().toLowerCase();
  return endpoints.filter(
    (one) =>
      (status === "" || status === shownStatusOf(one)) &&
      (kind === "" || kind === one.kind) &&
      (one.name.toLowerCase().includes(part) || one.base_url.toLowerCase().includes(part)),
  );
}

function columnsOf(t: Translate<keyof typeof endpointsTexts.en>, format: Format) {
  const columns: Column<EndpointView>[] = [
    {
      ...{ key: "name", title: t("name"), width: "minmax(120px, 1.4fr)" },
      sortBy: ({ name }) => name,
      cell: ({ id, name, base_url }) => (
        <Link
          to="/endpoints/$id"
          params={{ id } as never}
          className="name-cell"
          title={`${name}\n${base_url}`}
        >
          {name}
        </Link>
      ),
    },
    {
      ...{ key: "status", title: t("status"), width: "96px" },
      sortBy: (row) => STATUSES.indexOf(shownStatusOf(row)),
      cell: (row) => <StatusBadge endpoint={row} />,
    },
    {
      ...{ key: "device", title: t("device"), width: "minmax(90px, 1fr)", isMinor: true },
      sortBy: (row) => deviceOf(row, t),
      cell: (row) => <span title={deviceOf(row, t)}>{deviceOf(row, t)}</span>,
    },
    {
      ...{ key: "kind", title: t("kind"), width: "118px", isMinor: true },
      sortBy: ({ kind }) => kindName(kind),
      cell: ({ kind }) => kindName(kind),
    },
    {
      ...{ key: "models", title: t("models"), width: "72px", align: "end", isMinor: true },
      sortBy: ({ model_count }) => model_count,
      cell: ({ model_count }) => format.count(model_count),
    },
    {
      ...{ key: "active", title: t("cells"), width: "minmax(52px, 148px)" },
      sortBy: ({ active_requests, slots_in_effect }) => active_requests + slots_in_effect / 1e6,
      cell: (row) => <Slots active={row.active_requests} slots={row.slots_in_effect} />,
    },
    {
      ...{ key: "latency", title: t("latency"), width: "92px", align: "end", isMinor: true },
      sortBy: ({ inference_latency_ms, latency_ms }) =>
        inference_latency_ms ?? latency_ms ?? Number.POSITIVE_INFINITY,
      cell: ({ inference_latency_ms, latency_ms }) =>
        format.duration(inference_latency_ms ?? latency_ms),
    },
  ];
  return columns;
}

/** What an endpoint computes on, in a few words. */
export function deviceOf(
  { device_info }: Pick<EndpointView, "device_info">,
  t: Translate<keyof typeof endpointsTexts.en>,
): string {
  if (device_info === null) return t("device_unknown");
  const names = device_info.gpu_devices.map(({ name }) => name);
  if (names.length === 0) return t("device_cpu");
  const [first] = names;
  return names.every((name) => name === first) && names.length > 1
    ? `${names.length} × ${first}`
    : names.join(", ");
}

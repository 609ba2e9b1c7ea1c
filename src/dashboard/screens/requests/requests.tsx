import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { RequestPage, type RequestView } from "../../../wire/history.ts";
import { call } from "../../api/call.ts";
import { queries } from "../../api/queries.ts";
import { useRunning } from "../../live/hooks.ts";
import { live } from "../../live/stream.ts";
import { Badge } from "../../parts/badge.tsx";
import { FilterChoice, Filters } from "../../parts/filters.tsx";
import { More } from "../../parts/more.tsx";
import { Page, Panel } from "../../parts/page.tsx";
import { Empty, Loaded } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { type Format, NOTHING, useFormat } from "../../text/format.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { requestsTexts } from "./texts.ts";

const DEFAULTS = { model: "", status: "" };
const PAGE = 100;
/** While requests end, they are asked for once in this time. */
const RELOAD_MS = 2000;

type State = typeof DEFAULTS;

/** A request of the history, or one that runs. */
type Row = RequestView & { isRunning?: boolean };

function queryOf({ model, status }: State): URLSearchParams {
  const query = new URLSearchParams();
  if (model.trim() !== "") query.set("model", model.trim());
  if (status !== "") query.set("status", status);
  return query;
}

/** Requests as they come, and those of the past. */
export function Requests() {
  const t = useTexts(requestsTexts);
  const [state, change] = useUrlState(DEFAULTS);
  const query = useInfiniteQuery({
    queryKey: ["requests", state],
    queryFn: ({ signal, pageParam }) => {
      const page = queryOf(state);
      page.set("limit", String(PAGE));
      if (pageParam !== "") page.set("cursor", pageParam);
      return call(RequestPage, `GET /api/requests?${page}`, { signal });
    },
    initialPageParam: "",
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
  });
  useEffect(() => live.whileRequestsEnd(reload, RELOAD_MS), []);
  return (
    <Page
      title={useTitle("requests")}
      actions={
        <a className="button" href={`/api/requests/export?${queryOf(state)}`} download>
          {t("export")}
        </a>
      }
    >
      <Filters label={t("search")} text={state.model} onText={(model) => change({ model })}>
        <FilterChoice
          {...{ label: t("status"), value: state.status }}
          options={[
            ["", t("show_any")],
            ["success", t("show_ok")],
            ["error", t("show_failed")],
          ]}
          onChange={(status) => change({ status })}
        />
      </Filters>
      <Panel>
        <Loaded query={query}>
          {({ pages }) => (
            <List past={pages.flatMap(({ requests }) => requests)} isFiltered={isFiltered(state)} />
          )}
        </Loaded>
      </Panel>
      <More query={query} />
    </Page>
  );
}

function isFiltered({ model, status }: State): boolean {
  return model.trim() !== "" || status !== "";
}

function reload(): void {
  void queries.invalidateQueries({ queryKey: ["requests"] });
}

function List({ past, isFiltered }: { past: readonly RequestView[]; isFiltered: boolean }) {
  const t = useTexts(requestsTexts);
  const format = useFormat();
  const navigate = useNavigate();
  const running = useRunning();
  const columns = useMemo(() => columnsOf(t, format), [t, format]);
  const rows: readonly Row[] = isFiltered ? past : [...running.map(runningRow), ...past];
  const open = ({ id, isRunning }: Row) => {
    if (!isRunning) void navigate({ to: "/requests/$id", params: { id } as never });
  };
  return (
    <Table
      {...{ label: t("list"), columns, rows, idOf: ({ id }: Row) => id, onOpen: open }}
      empty={
        isFiltered ? (
          <Empty title={t("no_match")} />
        ) : (
          <Empty title={t("empty")} text={t("empty_text")} />
        )
      }
    />
  );
}

function runningRow(live: ReturnType<typeof useRunning>[number]): Row {
  const nothing = {
    ...{ endpoint_id: null, endpoint_name: null, api_key_id: null, user_id: null },
    ...{ client_ip: null, client: null, http_status: null, error: null, queue_ms: null },
    ...{ first_byte_ms: null, input_tokens: null, output_tokens: null, cached_tokens: null },
    ...{ token_source: null, cost: null, retries: 0, duration_ms: 0, status: "success" as const },
  };
  const { request_id, started_at } = live;
  return { ...nothing, ...live, id: request_id, completed_at: started_at, isRunning: true };
}

/** What became of a request, in a word. */
export function ResultBadge({ request }: { request: Row }) {
  const t = useTexts(requestsTexts);
  const { isRunning = false, status, http_status, error } = request;
  if (isRunning) return <Badge tone="accent">{t("running")}</Badge>;
  if (status === "success") return <Badge tone="ok">{http_status ?? 200}</Badge>;
  return <Badge tone={error === "client_closed" ? "quiet" : "bad"}>{error ?? http_status}</Badge>;
}

function columnsOf(t: Translate<keyof typeof requestsTexts.en>, format: Format): Column<Row>[] {
  const tokens = ({ input_tokens, output_tokens }: Row) =>
    input_tokens === null && output_tokens === null
      ? NOTHING
      : `${format.count(input_tokens ?? 0)} → ${format.count(output_tokens ?? 0)}`;
  return [
    {
      ...{ key: "started", title: t("started"), width: "minmax(64px, 150px)" },
      cell: ({ id, started_at, isRunning }) =>
        isRunning ? (
          format.time(started_at)
        ) : (
          <Link to="/requests/$id" params={{ id } as never}>
            {format.time(started_at)}
          </Link>
        ),
    },
    {
      ...{ key: "status", title: t("status"), width: "minmax(56px, 150px)" },
      cell: (row) => <ResultBadge request={row} />,
    },
    {
      ...{ key: "model", title: t("model"), width: "minmax(90px, 1.6fr)" },
      cell: ({ model }) => <span title={model}>{model}</span>,
    },
    {
      ...{ key: "type", title: t("type"), isMinor: true },
      cell: ({ request_type }) => request_type,
    },
    {
      ...{ key: "endpoint", title: t("endpoint"), isMinor: true },
      cell: ({ endpoint_name }) => endpoint_name ?? NOTHING,
    },
    {
      ...{ key: "who", title: t("key"), isMinor: true },
      cell: ({ api_key_name, user_name }) => api_key_name ?? user_name ?? NOTHING,
    },
    {
      ...{ key: "tokens", title: t("tokens"), width: "110px", align: "end", isMinor: true },
      cell: tokens,
    },
    {
      ...{ key: "duration", title: t("duration"), width: "66px", align: "end" },
      cell: ({ duration_ms, isRunning }) => (isRunning ? NOTHING : format.duration(duration_ms)),
    },
  ];
}

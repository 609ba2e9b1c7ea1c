import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { RequestPage, type RequestView } from "../../../wire/history.ts";
import { ROUTE_LIST } from "../../../wire/route.ts";
import { useMay } from "../../api/account.ts";
import { call } from "../../api/call.ts";
import { queries } from "../../api/queries.ts";
import { useRunning } from "../../live/hooks.ts";
import { live } from "../../live/stream.ts";
import { Button } from "../../parts/button.tsx";
import { filterQuery } from "../../parts/filterquery.ts";
import { FilterChoice, FilterDays, Filters, FilterText } from "../../parts/filters.tsx";
import { More } from "../../parts/more.tsx";
import { Page, Panel } from "../../parts/page.tsx";
import { useSettled } from "../../parts/settled.ts";
import { Empty, Loaded } from "../../parts/states.tsx";
import { Table } from "../../parts/table.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { columnsOf, type Row, runningRow } from "./columns.tsx";
import { isFiltered, NO_FILTER, type RequestFilter, runningOf } from "./filter.ts";
import { requestsTexts } from "./texts.ts";

const PAGE = 100;
/** While requests end, they are asked for once in this time. */
const RELOAD_MS = 2000;

/** Requests as they come, and those of the past. */
export function Requests() {
  const t = useTexts(requestsTexts);
  const [state, change] = useUrlState(NO_FILTER);
  const filter = useSettled(state);
  const wanted = filterQuery(filter);
  const query = useInfiniteQuery({
    queryKey: ["requests", "list", wanted.toString()],
    queryFn: ({ signal, pageParam }) => {
      const page = new URLSearchParams([...wanted, ["limit", String(PAGE)]]);
      if (pageParam !== "") page.set("cursor", pageParam);
      return call(RequestPage, `GET /api/requests?${page}`, { signal });
    },
    initialPageParam: "",
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
  useEffect(() => live.whileRequestsEnd(reload, RELOAD_MS), []);
  // What is exported is what the fields say, even if the list does not show it yet.
  const exported = (format: "csv" | "json") =>
    `/api/requests/export?${new URLSearchParams([...filterQuery(state), ["format", format]])}`;
  return (
    <Page
      title={useTitle("requests")}
      actions={
        <>
          <a className="button" href={exported("csv")} download>
            {t("export")}
          </a>
          <a className="button" href={exported("json")} download>
            {t("export_json")}
          </a>
        </>
      }
    >
      <RequestFilters state={state} change={change} />
      <Panel>
        <Loaded query={query}>
          {({ pages }) => <List past={pages.flatMap(({ requests }) => requests)} filter={filter} />}
        </Loaded>
      </Panel>
      <More query={query} />
    </Page>
  );
}

function reload(): void {
  void queries.invalidateQueries({ queryKey: ["requests", "list"] });
}

interface FiltersProps {
  state: RequestFilter;
  change(changes: Partial<RequestFilter>): void;
}

const TYPES = [...new Set(ROUTE_LIST.map(({ name }) => name))];

function RequestFilters({ state, change }: FiltersProps) {
  const t = useTexts(requestsTexts);
  const may = useMay();
  const text = (name: "endpoint" | "key" | "user") => (
    <FilterText
      {...{ label: t(`filter_${name}`), text: state[name] }}
      onText={(value) => change({ [name]: value })}
    />
  );
  return (
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
      <FilterChoice
        {...{ label: t("type"), value: state.type }}
        options={[["", t("type_any")], ...TYPES.map((type) => [type, type] as const)]}
        onChange={(type) => change({ type })}
      />
      {text("endpoint")}
      {text("key")}
      {may("logs.read") && text("user")}
      <FilterDays {...{ from: state.from, to: state.to }} onChange={change} />
      {isFiltered(state) && <Button onClick={() => change(NO_FILTER)}>{t("show_all")}</Button>}
    </Filters>
  );
}

function List({ past, filter }: { past: readonly RequestView[]; filter: RequestFilter }) {
  const t = useTexts(requestsTexts);
  const format = useFormat();
  const navigate = useNavigate();
  const running = useRunning();
  const columns = useMemo(() => columnsOf(t, format), [t, format]);
  const rows: readonly Row[] = [...runningOf(running, filter).map(runningRow), ...past];
  const open = ({ id }: Row) => void navigate({ to: "/requests/$id", params: { id } as never });
  return (
    <Table
      {...{ label: t("list"), columns, rows, idOf: ({ id }: Row) => id, onOpen: open }}
      empty={
        isFiltered(filter) ? (
          <Empty title={t("no_match")} />
        ) : (
          <Empty title={t("empty")} text={t("empty_text")} />
        )
      }
    />
  );
}

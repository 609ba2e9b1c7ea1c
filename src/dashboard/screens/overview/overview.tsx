import { useMemo } from "react";
import type { EndpointView } from "../../../wire/endpoint.ts";
import type { RecentMetrics } from "../../../wire/event.ts";
import { useEndpoints } from "../../api/endpoints.ts";
import { useSeries } from "../../live/hooks.ts";
import { Chart } from "../../parts/chart.tsx";
import { Page, Panel } from "../../parts/page.tsx";
import { Empty, Loaded } from "../../parts/states.tsx";
import { Tile } from "../../parts/tile.tsx";
import { NOTHING, useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { Attention } from "./attention.tsx";
import { useRecentMetrics } from "./metrics.ts";
import { overviewTexts } from "./texts.ts";

/** Whether the fleet is well, at a glance. */
export function Overview() {
  const endpoints = useEndpoints();
  const recent = useRecentMetrics();
  return (
    <Page title={useTitle("overview")}>
      <Loaded query={endpoints}>
        {({ endpoints: all }) => (
          <>
            <Tiles endpoints={all} recent={recent.data} />
            <Attention endpoints={all} />
          </>
        )}
      </Loaded>
      <Loaded query={recent}>{(data) => <Charts recent={data} />}</Loaded>
    </Page>
  );
}

function Tiles(props: { endpoints: readonly EndpointView[]; recent: RecentMetrics | undefined }) {
  const { endpoints, recent } = props;
  const t = useTexts(overviewTexts);
  const format = useFormat();
  const now = useSeries().at(-1);
  const up = endpoints.filter(({ status }) => status === "online" || status === "error").length;
  const isDown = endpoints.length > 0 && up === 0;
  const { count, rate, duration, percent } = format;
  const share = errorShare(recent);
  return (
    <div className="tiles">
      <Tile
        {...{ name: t("endpoints_up"), value: count(up), isBad: isDown }}
        unit={t("of_total", { total: count(endpoints.length) })}
      />
      <Tile name={t("requests")} value={rate(now?.requests_per_s ?? 0)} unit="/s" />
      <Tile name={t("tokens")} value={rate(now?.tokens_per_s ?? 0)} unit="/s" />
      <Tile
        {...{ name: t("queue"), value: count(now?.queue_waiting ?? 0) }}
        about={t("active", { active: count(now?.active_requests ?? 0) })}
      />
      <Tile
        {...{ name: t("first_token"), value: duration(now?.first_token_p50_ms) }}
        about={t("p95", { time: duration(now?.first_token_p95_ms) })}
      />
      <Tile
        {...{ name: t("error_rate"), value: share === undefined ? NOTHING : percent(share) }}
        {...{ about: t("errors_text"), isBad: (share ?? 0) > 0.05 }}
      />
    </div>
  );
}

/** The share of requests that failed in the last hour; undefined without requests. */
function errorShare(recent: RecentMetrics | undefined): number | undefined {
  let requests = 0;
  let errors = 0;
  for (const point of recent?.points ?? []) {
    requests += point.requests_per_s;
    errors += point.errors_per_s;
  }
  return requests === 0 ? undefined : Math.min(1, errors / requests);
}

const HOUR_S = 3600;

function Charts({ recent }: { recent: RecentMetrics }) {
  const t = useTexts(overviewTexts);
  const { rate, duration } = useFormat();
  const { times, range, spans } = useMemo(() => gridOf(recent), [recent]);
  const lines = useMemo(() => {
    const values = (
      of: (point: RecentMetrics["points"][number]) => number | null,
      none: 0 | null,
    ) => spans.map((point) => (point === undefined ? none : of(point)));
    return {
      requests: [
        { name: "requests", color: "--accent", values: values((one) => one.requests_per_s, 0) },
        { name: "errors", color: "--bad", values: values((one) => one.errors_per_s, 0) },
      ],
      tokens: [{ name: "tokens", color: "--ok", values: values((one) => one.tokens_per_s, 0) }],
      first: [
        { name: "p50", color: "--accent", values: values((one) => one.first_token_p50_ms, null) },
        { name: "p95", color: "--warn", values: values((one) => one.first_token_p95_ms, null) },
      ],
    };
  }, [spans]);
  if (recent.points.length === 0) {
    return (
      <Panel title={t("last_hour")}>
        <Empty title={t("no_requests")} text={t("no_requests_text")} />
      </Panel>
    );
  }
  const common = { times, range };
  return (
    <div className="charts">
      <Panel title={t("chart_requests")}>
        <Chart {...common} label={t("chart_requests")} lines={lines.requests} format={rate} />
      </Panel>
      <Panel title={t("chart_tokens")}>
        <Chart {...common} label={t("chart_tokens")} lines={lines.tokens} format={rate} />
      </Panel>
      <Panel title={t("chart_first_token")}>
        <Chart {...common} label={t("chart_first_token")} lines={lines.first} format={duration} />
      </Panel>
    </div>
  );
}

/** One place for each span of the last hour, also where nothing happened. */
function gridOf({ step_s: step, points }: RecentMetrics) {
  const end = Math.floor(Date.now() / 1000 / step) * step;
  const start = end - HOUR_S;
  const times = Array.from({ length: HOUR_S / step }, (_, i) => start + (i + 1) * step);
  const byTime = new Map(points.map((point) => [Date.parse(point.at) / 1000, point]));
  return { times, range: [start, end] as const, spans: times.map((time) => byTime.get(time)) };
}

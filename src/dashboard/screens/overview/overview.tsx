import { Link } from "@tanstack/react-router";
import type { EndpointView } from "../../../wire/endpoint.ts";
import { RecentSpan } from "../../../wire/event.ts";
import { useEndpoints } from "../../api/endpoints.ts";
import { useSeries } from "../../live/hooks.ts";
import { Page } from "../../parts/page.tsx";
import { Segments } from "../../parts/segments.tsx";
import { Loaded } from "../../parts/states.tsx";
import { Tile } from "../../parts/tile.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { NOTHING, useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { Attention } from "./attention.tsx";
import { Charts } from "./charts.tsx";
import { continuedStreams, errorShare, useRecentMetrics } from "./metrics.ts";
import { overviewTexts } from "./texts.ts";

const DEFAULTS = { span: "hour" };

/** Whether the fleet is well, at a glance. */
export function Overview() {
  const t = useTexts(overviewTexts);
  const endpoints = useEndpoints();
  const [state, change] = useUrlState(DEFAULTS);
  const span = RecentSpan.catch("hour").parse(state.span);
  const recent = useRecentMetrics(span);
  const spans = RecentSpan.options.map((one) => [one, t(`last_${one}`)] as const);
  return (
    <Page
      title={useTitle("overview")}
      actions={
        <Segments
          {...{ label: t("span"), value: span, options: spans }}
          onChange={(next) => change({ span: next })}
        />
      }
    >
      <Loaded query={endpoints}>
        {({ endpoints: all }) => (
          <>
            <Tiles
              endpoints={all}
              share={recent.data && errorShare(recent.data)}
              continued={recent.data === undefined ? 0 : continuedStreams(recent.data)}
              period={t(`in_${span}`)}
            />
            <Attention endpoints={all} />
          </>
        )}
      </Loaded>
      <Loaded query={recent}>{(data) => <Charts recent={data} span={span} />}</Loaded>
    </Page>
  );
}

interface TilesProps {
  endpoints: readonly EndpointView[];
  /** Of requests that failed; undefined without any. */
  share: number | undefined;
  /** Streams that broke and went on elsewhere. */
  continued: number;
  /** When that was. */
  period: string;
}

function Tiles({ endpoints, share, continued, period }: TilesProps) {
  const t = useTexts(overviewTexts);
  const format = useFormat();
  const now = useSeries().at(-1);
  const up = endpoints.filter(({ status }) => status === "online" || status === "error").length;
  const isDown = endpoints.length > 0 && up === 0;
  const { count, rate, duration, percent } = format;
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
        about={continued === 0 ? period : t("continued", { period, streams: count(continued) })}
        isBad={(share ?? 0) > 0.05}
        link={
          (share ?? 0) > 0 && (
            <Link to="/requests" search={{ status: "error" } as never}>
              {t("look_all")}
            </Link>
          )
        }
      />
    </div>
  );
}

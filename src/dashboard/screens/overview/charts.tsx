import { useMemo } from "react";
import type { MetricsPoint, RecentMetrics, RecentSpan } from "../../../wire/event.ts";
import { Chart } from "../../parts/chart.tsx";
import { Panel } from "../../parts/page.tsx";
import { Empty } from "../../parts/states.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { gridOf } from "./metrics.ts";
import { overviewTexts } from "./texts.ts";

/** Requests, tokens and the time to the first one, over the last hour or day. */
export function Charts({ recent, span }: { recent: RecentMetrics; span: RecentSpan }) {
  const t = useTexts(overviewTexts);
  const { rate, duration } = useFormat();
  const { times, range, steps } = useMemo(() => gridOf(recent, span, Date.now()), [recent, span]);
  const lines = useMemo(() => {
    const values = (of: (point: MetricsPoint) => number | null, none: 0 | null) =>
      steps.map((point) => (point === undefined ? none : of(point)));
    const requests = values((one) => one.requests_per_s, 0);
    const errors = values((one) => one.errors_per_s, 0);
    const half = values((one) => one.first_token_p50_ms, null);
    const most = values((one) => one.first_token_p95_ms, null);
    const tokens = values((one) => one.tokens_per_s, 0);
    return {
      requests: [
        { name: t("line_requests"), color: "--accent", values: requests },
        { name: t("line_errors"), color: "--bad", values: errors },
      ],
      tokens: [{ name: t("tokens"), color: "--ok", values: tokens }],
      first: [
        { name: "p50", color: "--accent", values: half },
        { name: "p95", color: "--warn", values: most },
      ],
    };
  }, [steps, t]);
  if (recent.points.length === 0) {
    return (
      <Panel title={t(`last_${span}`)}>
        <Empty title={t(`no_requests_${span}`)} text={t("no_requests_text")} />
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

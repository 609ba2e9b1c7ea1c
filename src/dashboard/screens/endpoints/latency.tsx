import { useMemo } from "react";
import type { EndpointCheckView } from "../../../wire/endpoint.ts";
import type { UsageReport } from "../../../wire/usage.ts";
import { Chart } from "../../parts/chart.tsx";
import { Panel } from "../../parts/page.tsx";
import { Loaded } from "../../parts/states.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { useUsage } from "../usage/calls.ts";
import { periodsOf } from "../usage/periods.ts";
import { endpointsTexts } from "./texts.ts";

/** How long an endpoint's checks took, the newest first. */
export function CheckLatency({ checks }: { checks: readonly EndpointCheckView[] }) {
  const t = useTexts(endpointsTexts);
  const { duration } = useFormat();
  const { times, lines } = useMemo(() => {
    const old = checks.toReversed();
    const values = old.map(({ success, latency_ms }) => (success ? latency_ms : null));
    return {
      times: old.map(({ checked_at }) => Date.parse(checked_at) / 1000),
      lines: [{ name: t("latency_check"), color: "--ok", values }],
    };
  }, [checks, t]);
  const [first = 0, last = 1] = [times[0], times.at(-1)];
  if (times.length < 2) return <p className="well">{t("checks_few")}</p>;
  if (!checks.some(({ success }) => success)) return <p className="well">{t("checks_bad")}</p>;
  const range = [first, last] as const;
  return <Chart {...{ label: t("latency_check"), times, lines, range, format: duration }} />;
}

/** How long requests took until their first byte, by the hour. */
export function RequestLatency({ id }: { id: string }) {
  const t = useTexts(endpointsTexts);
  // Without a time, it is the last day.
  const query = useUsage(new URLSearchParams({ endpoint: id, by: "hour" }));
  return (
    <Panel title={t("latency_requests")}>
      <Loaded query={query}>{(report) => <Hours report={report} />}</Loaded>
    </Panel>
  );
}

function Hours({ report }: { report: UsageReport }) {
  const t = useTexts(endpointsTexts);
  const { duration } = useFormat();
  const { times, range, lines } = useMemo(() => hoursOf(report), [report]);
  if (report.rows.length === 0) return <p className="well">{t("requests_none")}</p>;
  return <Chart {...{ label: t("latency_requests"), times, lines, range, format: duration }} />;
}

function hoursOf(report: UsageReport) {
  const byHour = new Map(report.rows.map((row) => [row.period, row.first_byte_ms]));
  const hours = periodsOf(report);
  const times = hours.map((hour) => Date.parse(hour) / 1000);
  const of = (part: "p50" | "p95") => hours.map((hour) => byHour.get(hour)?.[part] ?? null);
  return {
    times,
    range: [times[0] ?? 0, times.at(-1) ?? 1] as const,
    lines: [
      { name: "p50", color: "--accent", values: of("p50") },
      { name: "p95", color: "--warn", values: of("p95") },
    ],
  };
}

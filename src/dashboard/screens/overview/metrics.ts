import { useQuery } from "@tanstack/react-query";
import { RecentMetrics, type RecentSpan } from "../../../wire/event.ts";
import { call } from "../../api/call.ts";

const REFRESH_MS: Record<RecentSpan, number> = { hour: 20_000, day: 120_000 };
const LENGTH_S: Record<RecentSpan, number> = { hour: 3600, day: 86_400 };

/** The metrics of the last hour or day. */
export function useRecentMetrics(span: RecentSpan) {
  return useQuery({
    queryKey: ["metrics", "recent", span],
    queryFn: ({ signal }) =>
      call(RecentMetrics, `GET /api/metrics/recent?span=${span}`, { signal }),
    refetchInterval: REFRESH_MS[span],
  });
}

/** The share of requests that failed; undefined without requests. */
export function errorShare({ points }: RecentMetrics): number | undefined {
  let requests = 0;
  let errors = 0;
  for (const point of points) {
    requests += point.requests_per_s;
    errors += point.errors_per_s;
  }
  return requests === 0 ? undefined : Math.min(1, errors / requests);
}

/** How many streams broke and went on at another endpoint. */
export function continuedStreams({ step_s: step, points }: RecentMetrics): number {
  return Math.round(points.reduce((sum, one) => sum + one.continued_per_s * step, 0));
}

/** One place for each step that was over by `nowMs`, whatever happened; times are unix seconds. */
export function gridOf({ step_s: step, points }: RecentMetrics, span: RecentSpan, nowMs: number) {
  const end = Math.floor(nowMs / 1000 / step) * step;
  const start = end - LENGTH_S[span];
  const times = Array.from({ length: LENGTH_S[span] / step }, (_, i) => start + i * step);
  const byTime = new Map(points.map((point) => [Date.parse(point.at) / 1000, point]));
  return {
    times,
    range: [start, end - step] as const,
    steps: times.map((time) => byTime.get(time)),
  };
}

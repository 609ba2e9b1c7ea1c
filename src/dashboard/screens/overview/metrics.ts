import { useQuery } from "@tanstack/react-query";
import { RecentMetrics } from "../../../wire/event.ts";
import { call } from "../../api/call.ts";

const REFRESH_MS = 20_000;

/** The metrics of the last hour. */
export function useRecentMetrics() {
  return useQuery({
    queryKey: ["metrics", "recent"],
    queryFn: ({ signal }) => call(RecentMetrics, "GET /api/metrics/recent", { signal }),
    refetchInterval: REFRESH_MS,
  });
}

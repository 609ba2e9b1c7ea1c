import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { UsageReport } from "../../../wire/usage.ts";
import { call } from "../../api/call.ts";
import { queries } from "../../api/queries.ts";

const KEY = ["usage"];

/** What was used, as the query of `GET /api/usage` asks for it. */
export function useUsage(query: URLSearchParams) {
  return useQuery({
    queryKey: [...KEY, query.toString()],
    queryFn: ({ signal }) => call(UsageReport, `GET /api/usage?${query}`, { signal }),
    placeholderData: keepPreviousData,
  });
}

/** Asks for all usage again that is shown. */
export function reloadUsage(): void {
  void queries.invalidateQueries({ queryKey: KEY });
}

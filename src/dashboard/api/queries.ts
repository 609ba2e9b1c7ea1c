import { QueryClient } from "@tanstack/react-query";
import { CallError } from "./call.ts";

const RETRIES_MAX = 2;

/** What was asked, kept for all screens. What the event stream does not tell, screens ask again. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: true,
      retry: (failures, error) => {
        const isFinal = error instanceof CallError && error.status >= 400 && error.status < 500;
        return !isFinal && failures < RETRIES_MAX;
      },
    },
    mutations: { retry: false },
  },
});

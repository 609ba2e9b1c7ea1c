import { useEffect, useMemo, useSyncExternalStore } from "react";
import { LogFeed, type LogState } from "./feed.ts";

export interface LogChoice {
  /** Id of an endpoint; "" is the balancer itself. */
  source: string;
  /** The least severe level; "" is any. */
  level?: string;
  /** Text in its lines. */
  search?: string;
  /** With how many lines it begins. */
  limit: number;
}

/** Follows a log while somebody looks at it. */
export function useLogFeed(choice: LogChoice): LogState & { retry(): void } {
  const { route, query } = askedOf(choice);
  const feed = useMemo(() => new LogFeed(route, new URLSearchParams(query)), [route, query]);
  useEffect(() => {
    // Browsers allow few connections to one server: hidden pages leave theirs to others.
    const follow = () => (document.hidden ? feed.close() : feed.open());
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      feed.close();
    };
  }, [feed]);
  return { ...useSyncExternalStore(feed.subscribe, feed.state), retry: feed.retry };
}

function askedOf({ source, level = "", search = "", limit }: LogChoice) {
  const query = new URLSearchParams({ limit: String(limit) });
  if (level !== "") query.set("level", level);
  if (search.trim() !== "") query.set("search", search.trim());
  const route = source === "" ? "/api/logs" : `/api/endpoints/${encodeURIComponent(source)}/logs`;
  return { route, query: query.toString() };
}

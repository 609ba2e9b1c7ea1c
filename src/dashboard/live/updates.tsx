import { useEffect } from "react";
import type { EndpointList, EndpointView } from "../../wire/endpoint.ts";
import type { LiveEvent } from "../../wire/event.ts";
import { askWhoIAm, useMay } from "../api/account.ts";
import { queries } from "../api/queries.ts";
import { LiveStream } from "./stream.ts";

/** Keeps the page live while somebody looks at it. */
export function LiveUpdates() {
  const may = useMay();
  const isAllowed = may("endpoints.read");
  useEffect(() => {
    if (!isAllowed) return undefined;
    const stream = new LiveStream(applyToQueries, () => void askWhoIAm());
    // Browsers allow few connections to one server: hidden pages leave theirs to others.
    const follow = () => (document.hidden ? stream.close() : stream.open());
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      stream.close();
    };
  }, [isAllowed]);
  return null;
}

/** Lists that were loaded learn what has changed, or are asked for again. */
function applyToQueries(event: LiveEvent): void {
  if (event.type === "hello" && !event.resumed) void queries.invalidateQueries();
  if (event.type === "models") askSoon("models");
  if (event.type === "models" || event.type === "loaded") askSoon("residency");
  if (event.type === "endpoints") applyEndpoints(event);
  if (event.type === "hosts") applyToEndpoints(event.changed);
}

/** A fleet in which much happens is not asked for its lists with each event. */
const ASK_AFTER_MS = 400;
const ASK_EVERY_MS = 3000;
const asked = new Map<string, number>();
const due = new Set<string>();

/** Asks again for what was loaded below a key: shortly, but not all the time. */
function askSoon(key: string): void {
  if (due.has(key)) return;
  due.add(key);
  const waitMs = Math.max(ASK_AFTER_MS, (asked.get(key) ?? 0) + ASK_EVERY_MS - performance.now());
  setTimeout(() => {
    due.delete(key);
    asked.set(key, performance.now());
    void queries.invalidateQueries({ queryKey: [key] });
  }, waitMs);
}

function applyEndpoints({ changed, removed }: LiveEvent & { type: "endpoints" }): void {
  const list = queries.getQueryData<EndpointList>(LIST);
  const known = new Set(list?.endpoints.map(({ id }) => id));
  const isNew = list !== undefined && changed.some(({ id }) => !known.has(id));
  applyToEndpoints(changed);
  if (removed.length > 0) {
    const gone = new Set(removed);
    queries.setQueryData<EndpointList>(LIST, (before) => {
      const endpoints = before?.endpoints.filter(({ id }) => !gone.has(id));
      return endpoints && { endpoints, total: endpoints.length };
    });
  }
  if (isNew) void queries.invalidateQueries({ queryKey: LIST, exact: true });
}

const LIST = ["endpoints"];

/** Those that were loaded get these fields; the others stay the very objects that they are. */
function applyToEndpoints(changed: readonly (Partial<EndpointView> & { id: string })[]): void {
  const changes = new Map(changed.map((change) => [change.id, change]));
  queries.setQueryData<EndpointList>(LIST, (list) => {
    if (list === undefined) return undefined;
    const endpoints = list.endpoints.map((one) => {
      const change = changes.get(one.id);
      return change === undefined ? one : { ...one, ...change };
    });
    return { ...list, endpoints };
  });
  for (const change of changed) {
    queries.setQueryData(["endpoints", change.id], (detail: object | undefined) =>
      detail === undefined ? undefined : { ...detail, ...change },
    );
  }
}

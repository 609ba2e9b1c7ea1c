import { useEffect } from "react";
import type { EndpointList } from "../../wire/endpoint.ts";
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
  if (event.type === "models") void queries.invalidateQueries({ queryKey: ["models"] });
  if (event.type === "endpoints") applyEndpoints(event);
}

function applyEndpoints({ changed, removed }: LiveEvent & { type: "endpoints" }): void {
  const key = ["endpoints"];
  const list = queries.getQueryData<EndpointList>(key);
  const states = new Map(changed.map((state) => [state.id, state]));
  if (list !== undefined) {
    const isNew = changed.some(({ id }) => !list.endpoints.some((one) => one.id === id));
    const endpoints = list.endpoints
      .filter(({ id }) => !removed.includes(id))
      .map((one) => ({ ...one, ...states.get(one.id) }));
    queries.setQueryData<EndpointList>(key, { endpoints, total: endpoints.length });
    if (isNew) void queries.invalidateQueries({ queryKey: key, exact: true });
  }
  for (const state of changed) {
    queries.setQueryData(["endpoints", state.id], (detail: object | undefined) =>
      detail === undefined ? undefined : { ...detail, ...state },
    );
  }
}

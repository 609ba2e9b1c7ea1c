import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { LiveRequest } from "../../../wire/event.ts";
import type { RequestView } from "../../../wire/history.ts";
import { Badge } from "../../parts/badge.tsx";
import type { Column } from "../../parts/table.tsx";
import { type Format, NOTHING, useFormat } from "../../text/format.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { requestsTexts } from "./texts.ts";

/** A request of the history, or one that runs. */
export type Row = RequestView & { isRunning?: boolean };

/** A request that runs, as far as it is known; its id is that of its answer. */
export function runningRow(live: LiveRequest): Row {
  const nothing = {
    ...{ endpoint_id: null, endpoint_name: null, api_key_id: null, user_id: null },
    ...{ client_ip: null, client: null, http_status: null, error: null, queue_ms: null },
    ...{ first_byte_ms: null, input_tokens: null, output_tokens: null, cached_tokens: null },
    ...{ token_source: null, cost: null, retries: 0, duration_ms: 0, status: "success" as const },
  };
  const { request_id, started_at } = live;
  return { ...nothing, ...live, id: request_id, completed_at: started_at, isRunning: true };
}

/** What became of a request, in a word. */
export function ResultBadge({ request }: { request: Row }) {
  const t = useTexts(requestsTexts);
  const { isRunning = false, status, http_status, error } = request;
  if (isRunning) return <Badge tone="accent">{t("running")}</Badge>;
  if (status === "success") return <Badge tone="ok">{http_status ?? 200}</Badge>;
  const reason = error ?? http_status;
  return (
    <span title={String(reason)}>
      <Badge tone={error === "client_closed" ? "quiet" : "bad"}>{reason}</Badge>
    </span>
  );
}

/** How long a request has been running. */
export function Elapsed({ since }: { since: string }) {
  const { duration } = useFormat();
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(1, Math.ceil((nowMs - Date.parse(since)) / 1000));
  return <span className="muted">{duration(1000 * seconds)}</span>;
}

/** What is shown of each request. */
export function columnsOf(
  t: Translate<keyof typeof requestsTexts.en>,
  format: Format,
): Column<Row>[] {
  const tokens = ({ input_tokens, output_tokens }: Row) =>
    input_tokens === null && output_tokens === null
      ? NOTHING
      : `${format.count(input_tokens ?? 0)} → ${format.count(output_tokens ?? 0)}`;
  return [
    {
      ...{ key: "started", title: t("started"), width: "minmax(64px, 150px)" },
      cell: ({ id, started_at }) => (
        <Link to="/requests/$id" params={{ id } as never}>
          {format.time(started_at)}
        </Link>
      ),
    },
    {
      ...{ key: "status", title: t("status"), width: "minmax(56px, 150px)" },
      cell: (row) => <ResultBadge request={row} />,
    },
    {
      ...{ key: "model", title: t("model"), width: "minmax(90px, 1.6fr)" },
      cell: ({ model }) => <span title={model}>{model}</span>,
    },
    {
      ...{ key: "type", title: t("type"), isMinor: true },
      cell: ({ request_type }) => request_type,
    },
    {
      ...{ key: "endpoint", title: t("endpoint"), isMinor: true },
      cell: ({ endpoint_name }) => endpoint_name ?? NOTHING,
    },
    {
      ...{ key: "who", title: t("key"), isMinor: true },
      cell: ({ api_key_name, user_name }) => api_key_name ?? user_name ?? NOTHING,
    },
    {
      ...{ key: "tokens", title: t("tokens"), width: "110px", align: "end", isMinor: true },
      cell: tokens,
    },
    {
      ...{ key: "duration", title: t("duration"), width: "66px", align: "end" },
      cell: ({ duration_ms, isRunning, started_at }) =>
        isRunning ? <Elapsed since={started_at} /> : format.duration(duration_ms),
    },
  ];
}

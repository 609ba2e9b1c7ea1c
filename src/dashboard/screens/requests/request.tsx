import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { RequestDetail } from "../../../wire/history.ts";
import { call } from "../../api/call.ts";
import { Facts, Page, Panel } from "../../parts/page.tsx";
import { Loaded } from "../../parts/states.tsx";
import { NOTHING, useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { ResultBadge } from "./requests.tsx";
import { requestsTexts } from "./texts.ts";

/** One request: who, what, how long, and what was kept of it. */
export function RequestScreen() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const query = useQuery({
    queryKey: ["requests", id],
    queryFn: ({ signal }) =>
      call(RequestDetail, `GET /api/requests/${encodeURIComponent(id)}`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const t = useTexts(requestsTexts);
  return (
    <Loaded query={query}>
      {(request) => (
        <Page title={request.model}>
          <Panel>
            <RequestFacts request={request} />
          </Panel>
          <Timeline request={request} />
          <Body title={t("request_body")} text={request.request_body} />
          <Body title={t("response_body")} text={request.response_body} />
        </Page>
      )}
    </Loaded>
  );
}

function RequestFacts({ request }: { request: RequestDetail }) {
  const t = useTexts(requestsTexts);
  const { count, duration, money, time } = useFormat();
  const number = (value: number | null) => (value === null ? NOTHING : count(value));
  return (
    <Facts
      facts={[
        [t("status"), <ResultBadge key="status" request={request} />],
        [t("started"), time(request.started_at)],
        [t("duration"), duration(request.duration_ms)],
        [t("first_byte"), duration(request.first_byte_ms)],
        [t("queue"), duration(request.queue_ms)],
        [t("endpoint"), request.endpoint_name ?? NOTHING],
        [t("key"), request.api_key_name ?? NOTHING],
        [t("user"), request.user_name ?? NOTHING],
        [t("client"), request.client ?? NOTHING],
        [t("client_ip"), request.client_ip ?? NOTHING],
        [t("input"), number(request.input_tokens)],
        [t("cached"), number(request.cached_tokens)],
        [t("output"), number(request.output_tokens)],
        [t("cost"), request.cost === null ? NOTHING : money(request.cost)],
        [t("type"), request.request_type],
        [
          t("id"),
          <span key="id" className="mono">
            {request.request_id}
          </span>,
        ],
      ]}
    />
  );
}

interface Span {
  name: string;
  fromMs: number;
  toMs: number;
  reason: string | null;
}

/** The wait, each attempt and the answer, one below the other along the same time. */
function Timeline({ request }: { request: RequestDetail }) {
  const t = useTexts(requestsTexts);
  const { duration } = useFormat();
  const total = Math.max(1, request.duration_ms);
  return (
    <Panel title={t("timeline")}>
      <div className="timeline">
        {spansOf(request, t).map(({ name, fromMs, toMs, reason }) => (
          <div key={`${name} ${fromMs}`} className="timeline-row">
            <span className="cut" title={name}>
              {name}
            </span>
            <span className="timeline-track">
              <span
                className={reason === null ? "timeline-span" : "timeline-span is-bad"}
                style={{
                  left: `${(100 * fromMs) / total}%`,
                  width: `max(2px, ${(100 * (toMs - fromMs)) / total}%)`,
                }}
              />
            </span>
            <span className="muted">
              {duration(toMs - fromMs)}
              {reason !== null && ` · ${t("attempt_failed", { reason })}`}
            </span>
          </div>
        ))}
      </div>
    </Panel>
  );
}

function spansOf(
  request: RequestDetail,
  t: ReturnType<typeof useTexts<keyof typeof requestsTexts.en>>,
) {
  const { queue_ms, attempts, first_byte_ms, duration_ms } = request;
  const spans: Span[] = [];
  if (queue_ms !== null && queue_ms > 0) {
    spans.push({ name: t("queue"), fromMs: 0, toMs: queue_ms, reason: null });
  }
  for (const [i, { endpoint_name, start_ms, error }] of attempts.entries()) {
    const isLast = i === attempts.length - 1;
    const toMs = isLast
      ? (first_byte_ms ?? duration_ms)
      : (attempts[i + 1]?.start_ms ?? duration_ms);
    const fromMs = Math.min(start_ms ?? 0, toMs);
    spans.push({ name: t("attempt", { name: endpoint_name }), fromMs, toMs, reason: error });
  }
  if (first_byte_ms !== null) {
    const reason = request.error;
    spans.push({ name: t("timeline_answer"), fromMs: first_byte_ms, toMs: duration_ms, reason });
  }
  return spans;
}

function Body({ title, text }: { title: string; text: string | null }) {
  const t = useTexts(requestsTexts);
  return (
    <Panel title={title}>
      <div className="panel-body">
        {text === null ? (
          <span className="muted">{t("body_none")}</span>
        ) : (
          <pre className="code">{indented(text)}</pre>
        )}
      </div>
    </Panel>
  );
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text; // a stream of events, or cut off
  }
}

import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { ENDPOINT_DRAINED, RequestDetail } from "../../../wire/history.ts";
import { useMay } from "../../api/account.ts";
import { call } from "../../api/call.ts";
import { useEndpoints } from "../../api/endpoints.ts";
import { useRunning } from "../../live/hooks.ts";
import { Facts, Page, Panel } from "../../parts/page.tsx";
import { Loaded } from "../../parts/states.tsx";
import { NOTHING, useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { indentedJson } from "../../text/json.ts";
import { ResultBadge } from "./columns.tsx";
import { RunningRequest } from "./running.tsx";
import { requestsTexts } from "./texts.ts";
import { spansOf } from "./timeline.ts";
import { WhyFailed } from "./why.tsx";

/** One request: who, what, how long, and what was kept of it. */
export function RequestScreen() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const running = useRunning().find(({ request_id }) => request_id === id);
  const query = useQuery({
    queryKey: ["requests", id],
    enabled: running === undefined,
    queryFn: ({ signal }) =>
      call(RequestDetail, `GET /api/requests/${encodeURIComponent(id)}`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const t = useTexts(requestsTexts);
  if (running !== undefined) return <RunningRequest request={running} />;
  return (
    <Loaded query={query}>
      {(request) => (
        <Page title={request.model}>
          <WhyFailed request={request} />
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
        [t("endpoint"), <Answerer key="endpoint" request={request} />],
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

/** Who answered it, as long as he is there. */
function Answerer({
  request: { endpoint_id: id, endpoint_name: name },
}: {
  request: RequestDetail;
}) {
  const isThere = useEndpoints().data?.endpoints.some((one) => one.id === id) === true;
  if (id === null || !isThere) return name ?? NOTHING;
  return (
    <Link to="/endpoints/$id" params={{ id } as never}>
      {name}
    </Link>
  );
}

/** The wait, each attempt and the answer, one below the other along the same time. */
function Timeline({ request }: { request: RequestDetail }) {
  const t = useTexts(requestsTexts);
  const { count, duration } = useFormat();
  const total = Math.max(1, request.duration_ms);
  const spans = spansOf(request).map((span) => ({
    ...span,
    isMoved: span.reason === ENDPOINT_DRAINED,
    name: span.kind === "attempt" ? t("attempt", { name: span.name }) : t(`timeline_${span.kind}`),
  }));
  return (
    <Panel title={t("timeline")} actions={<span className="muted">{duration(total)}</span>}>
      <div className="timeline">
        {spans.map(({ kind, name, fromMs, toMs, reason, tokens, isMoved }) => (
          <div key={`${name} ${fromMs}`} className="timeline-row">
            <span className="cut" title={name}>
              {name}
            </span>
            <span className="timeline-track">
              <span
                className={`timeline-span is-${reason === null || isMoved ? kind : "bad"}`}
                style={{
                  left: `${(100 * fromMs) / total}%`,
                  width: `max(2px, ${(100 * (toMs - fromMs)) / total}%)`,
                }}
              />
            </span>
            <span className="timeline-text">
              {duration(toMs - fromMs)}
              {tokens !== null && ` · ${t("attempt_gave", { tokens: count(tokens) })}`}
              {reason !== null &&
                ` · ${isMoved ? t("attempt_moved") : t("attempt_failed", { reason })}`}
            </span>
          </div>
        ))}
      </div>
    </Panel>
  );
}

function Body({ title, text }: { title: string; text: string | null }) {
  const t = useTexts(requestsTexts);
  const may = useMay();
  return (
    <Panel title={title}>
      <div className="panel-body">
        {text === null ? (
          <p className="muted">{may("logs.read") ? t("body_none_admin") : t("body_none")}</p>
        ) : (
          // As it is, where it is a stream of events, or cut off.
          <pre className="code">{indentedJson(text) ?? text}</pre>
        )}
      </div>
    </Panel>
  );
}

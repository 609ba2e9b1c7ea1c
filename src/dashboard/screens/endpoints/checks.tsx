import { useQuery } from "@tanstack/react-query";
import { z } from "zod";
import { EndpointCheckView } from "../../../wire/endpoint.ts";
import { useMay } from "../../api/account.ts";
import { call } from "../../api/call.ts";
import { Panel } from "../../parts/page.tsx";
import { Loaded } from "../../parts/states.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { pathOf } from "./actions.tsx";
import { CheckLatency, RequestLatency } from "./latency.tsx";
import { endpointsTexts } from "./texts.ts";

/** How many are asked for, and how many are bars. */
const ASKED = 500;
const SHOWN = 100;
const REFRESH_MS = 30_000;
/** A check that took as long as the slowest is as high as the strip. */
const HEIGHT_MIN = 0.12;

const Answer = z.object({ checks: z.array(EndpointCheckView) });

/** The last health checks of an endpoint, and how long they took. */
export function Checks({ id }: { id: string }) {
  const t = useTexts(endpointsTexts);
  const may = useMay();
  const query = useQuery({
    queryKey: ["endpoints", id, "checks"],
    queryFn: ({ signal }) => call(Answer, `GET ${pathOf(id)}/checks?limit=${ASKED}`, { signal }),
    refetchInterval: REFRESH_MS,
  });
  return (
    <>
      <Panel title={t("checks")}>
        <Loaded query={query}>{({ checks }) => <Strip checks={checks.slice(0, SHOWN)} />}</Loaded>
      </Panel>
      <div className="charts">
        <Panel title={t("latency_check")}>
          <Loaded query={query}>{({ checks }) => <CheckLatency checks={checks} />}</Loaded>
        </Panel>
        {may("logs.read") && <RequestLatency id={id} />}
      </div>
    </>
  );
}

/** The checks as bars, as high as they took time. */
function Strip({ checks }: { checks: readonly EndpointCheckView[] }) {
  const t = useTexts(endpointsTexts);
  const { time, duration } = useFormat();
  if (checks.length === 0) return <p className="well">{t("checks_none")}</p>;
  const slowestMs = Math.max(1, ...checks.map(({ latency_ms }) => latency_ms ?? 0));
  return (
    <div className="strip" role="list" aria-label={t("checks")}>
      {[...checks].reverse().map(({ checked_at, success, latency_ms, error_message }) => {
        const share = success ? Math.max(HEIGHT_MIN, (latency_ms ?? 0) / slowestMs) : 1;
        const text = `${time(checked_at)} · ${error_message ?? duration(latency_ms)}`;
        return (
          <span
            key={checked_at}
            role="listitem"
            className={success ? "strip-check" : "strip-check is-bad"}
            style={{ height: `${Math.round(100 * share)}%` }}
            title={text}
            aria-label={text}
          />
        );
      })}
    </div>
  );
}

import type { LiveRequest } from "../../../wire/event.ts";
import { Facts, Page, Panel } from "../../parts/page.tsx";
import { NOTHING, useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Elapsed, ResultBadge, runningRow } from "./columns.tsx";
import { requestsTexts } from "./texts.ts";

/** A request that runs, as far as it is known; all of it stands there once it has ended. */
export function RunningRequest({ request }: { request: LiveRequest }) {
  const t = useTexts(requestsTexts);
  const { time } = useFormat();
  return (
    <Page title={request.model}>
      <p className="muted">{t("running_text")}</p>
      <Panel>
        <Facts
          facts={[
            [t("status"), <ResultBadge key="status" request={runningRow(request)} />],
            [t("started"), time(request.started_at)],
            [t("duration"), <Elapsed key="duration" since={request.started_at} />],
            [t("key"), request.api_key_name ?? NOTHING],
            [t("user"), request.user_name ?? NOTHING],
            [t("type"), request.request_type],
            [
              t("id"),
              <span key="id" className="mono">
                {request.request_id}
              </span>,
            ],
          ]}
        />
      </Panel>
    </Page>
  );
}

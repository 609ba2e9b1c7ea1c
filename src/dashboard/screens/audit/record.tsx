import { useParams } from "@tanstack/react-router";
import type { AuditRecordView } from "../../../wire/audit.ts";
import { Facts, Page, Panel } from "../../parts/page.tsx";
import { Loaded } from "../../parts/states.tsx";
import { NOTHING, useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { ActionBadge, actorOf } from "./action.tsx";
import { useAuditRecord } from "./calls.ts";
import { auditTexts } from "./texts.ts";

/** One record of the audit log with all that it tells. */
export function AuditRecord() {
  const { seq = "" } = useParams({ strict: false }) as { seq?: string };
  const t = useTexts(auditTexts);
  const query = useAuditRecord(Number(seq));
  return (
    <Loaded query={query}>
      {(record) => (
        <Page title={t("record", { seq: record.seq })}>
          <Panel>
            <RecordFacts record={record} />
          </Panel>
          <Panel title={t("details")}>
            <div className="panel-body">
              {record.details === null ? (
                <span className="muted">{t("details_none")}</span>
              ) : (
                <pre className="code">{JSON.stringify(record.details, undefined, 2)}</pre>
              )}
            </div>
          </Panel>
        </Page>
      )}
    </Loaded>
  );
}

function RecordFacts({ record }: { record: AuditRecordView }) {
  const t = useTexts(auditTexts);
  const { time, count } = useFormat();
  const mono = (text: string | null, key: string) => (
    <span key={key} className="mono">
      {text ?? NOTHING}
    </span>
  );
  return (
    <Facts
      facts={[
        [t("action"), <ActionBadge key="action" record={record} />],
        [t("time"), time(record.time)],
        [t("actor"), actorOf(record, t)],
        [t("subject"), record.subject ?? NOTHING],
        [t("what"), mono(record.route, "route")],
        [t("path"), mono(record.path, "path")],
        [t("status"), record.status ?? NOTHING],
        [t("address"), mono(record.address, "address")],
        [t("count"), count(record.count)],
        [t("request"), mono(record.request_id, "request")],
        [t("mac"), mono(record.mac, "mac")],
      ]}
    />
  );
}

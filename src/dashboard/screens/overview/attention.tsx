import { Link } from "@tanstack/react-router";
import type { EndpointView } from "../../../wire/endpoint.ts";
import { useMay } from "../../api/account.ts";
import { Icon } from "../../parts/icon.tsx";
import { Panel } from "../../parts/page.tsx";
import { useTexts } from "../../text/i18n.ts";
import { TestButton } from "../endpoints/actions.tsx";
import { type Concern, concernsOf } from "./concerns.ts";
import { overviewTexts } from "./texts.ts";

const SHOWN_MAX = 20;

/** What is not as it should be, in sentences, each with what mends it. */
export function Attention({ endpoints }: { endpoints: readonly EndpointView[] }) {
  const t = useTexts(overviewTexts);
  const may = useMay();
  const concerns = concernsOf(endpoints);
  return (
    <Panel title={t("attention")}>
      {endpoints.length === 0 && (
        <div className="concern is-bad">
          <Icon name="warning" />
          <span className="concern-text">{t("no_endpoints")}</span>
          {may("endpoints.manage") && (
            <Link to="/endpoints" search={{ open: "add" } as never} className="button">
              {t("add_endpoint")}
            </Link>
          )}
        </div>
      )}
      {endpoints.length > 0 && concerns.length === 0 && <p className="well">{t("all_well")}</p>}
      {concerns.slice(0, SHOWN_MAX).map((concern) => (
        <ConcernLine key={concern.kind + concern.endpoint.id} concern={concern} />
      ))}
    </Panel>
  );
}

function ConcernLine({ concern: { kind, endpoint, reason, isBad } }: { concern: Concern }) {
  const t = useTexts(overviewTexts);
  const may = useMay();
  const values = { name: endpoint.name, reason: reason ?? t("unknown_reason") };
  return (
    <div className={isBad ? "concern is-bad" : "concern"}>
      <Icon name="warning" />
      <span className="concern-text">{t(kind, values)}</span>
      <span className="row">
        {may("endpoints.manage") && kind !== "key_unreadable" && (
          <TestButton endpoint={endpoint} label={t("check_now")} />
        )}
        <Link to="/endpoints/$id" params={{ id: endpoint.id } as never} className="button">
          {t("look")}
        </Link>
      </span>
    </div>
  );
}

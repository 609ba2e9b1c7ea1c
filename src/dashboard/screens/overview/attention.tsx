import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { EndpointView } from "../../../wire/endpoint.ts";
import type { PullStep } from "../../../wire/event.ts";
import { useMay } from "../../api/account.ts";
import { usePulls, useSeries } from "../../live/hooks.ts";
import { Icon } from "../../parts/icon.tsx";
import { Panel } from "../../parts/page.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { DrainButton, TestButton } from "../endpoints/actions.tsx";
import { type Concern, concernsOf, waitingSince } from "./concerns.ts";
import { overviewTexts } from "./texts.ts";

const SHOWN_MAX = 20;

/** What is not as it should be, in sentences, each with what mends it. */
export function Attention({ endpoints }: { endpoints: readonly EndpointView[] }) {
  const t = useTexts(overviewTexts);
  const { count } = useFormat();
  const may = useMay();
  const waiting = waitingSince(useSeries());
  const concerns = concernsOf(endpoints);
  const failed = usePulls().filter(({ state }) => state === "failed");
  const isWell =
    endpoints.length > 0 && concerns.length === 0 && waiting === 0 && failed.length === 0;
  const more = concerns.length - SHOWN_MAX;
  const add = may("endpoints.manage") && (
    <Link to="/endpoints" search={{ open: "add" } as never} className="button">
      {t("add_endpoint")}
    </Link>
  );
  return (
    <Panel title={t("attention")}>
      {endpoints.length === 0 && (
        <Line isBad text={t("no_endpoints")}>
          {add}
        </Line>
      )}
      {waiting > 0 && <Line text={t("waiting", { waiting: count(waiting) })}>{add}</Line>}
      {isWell && <p className="well">{t("all_well")}</p>}
      {concerns.slice(0, SHOWN_MAX).map((concern) => (
        <ConcernLine key={concern.kind + concern.endpoint.id} concern={concern} />
      ))}
      {failed.slice(0, SHOWN_MAX).map((pull) => (
        <PullLine key={`${pull.model}\n${pull.endpoint_name}`} pull={pull} />
      ))}
      {more > 0 && (
        <Line text={t("more", { more: count(more) })}>
          <Link to="/endpoints" search={{ sort: "-status" } as never} className="button">
            {t("look_all")}
          </Link>
        </Line>
      )}
    </Panel>
  );
}

/** A sentence, and beside it what can be done. */
function Line(props: { text: string; isBad?: boolean; children: ReactNode }) {
  const { text, isBad = false, children } = props;
  return (
    <div className={isBad ? "concern is-bad" : "concern"}>
      <Icon name="warning" />
      <span className="concern-text">{text}</span>
      <span className="row">{children}</span>
    </div>
  );
}

function ConcernLine({ concern: { kind, endpoint, reason, isBad } }: { concern: Concern }) {
  const t = useTexts(overviewTexts);
  const may = useMay();
  const values = { name: endpoint.name, reason: reason ?? t("unknown_reason") };
  const needsKey = kind === "key_unreadable" && may("endpoints.manage");
  const open = needsKey ? { open: "edit" } : {};
  return (
    <Line text={t(kind, values)} isBad={isBad}>
      {may("endpoints.manage") && !needsKey && <Mend kind={kind} endpoint={endpoint} />}
      <Link
        to="/endpoints/$id"
        params={{ id: endpoint.id } as never}
        search={open as never}
        className="button"
      >
        {needsKey ? t("enter_key") : t("look")}
      </Link>
    </Line>
  );
}

/** A node could not fetch a model. */
function PullLine({ pull: { model, endpoint_name: name, error } }: { pull: PullStep }) {
  const t = useTexts(overviewTexts);
  return (
    <Line text={t("pull_failed", { name, model, reason: error ?? t("unknown_reason") })}>
      <Link to="/models/$name" params={{ name: model } as never} className="button">
        {t("look_model")}
      </Link>
    </Line>
  );
}

function Mend({ kind, endpoint }: Pick<Concern, "kind" | "endpoint">) {
  const t = useTexts(overviewTexts);
  if (kind === "drained") return <DrainButton endpoint={endpoint} />;
  return <TestButton endpoint={endpoint} label={t("check_now")} />;
}

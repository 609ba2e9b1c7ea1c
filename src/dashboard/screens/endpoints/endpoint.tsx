import { Link, useNavigate, useParams } from "@tanstack/react-router";
import type { EndpointDetail } from "../../../wire/endpoint.ts";
import { useMay } from "../../api/account.ts";
import { send } from "../../api/call.ts";
import { useEndpoint } from "../../api/endpoints.ts";
import { Badge } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { Confirm } from "../../parts/dialog.tsx";
import { LogEnd } from "../../parts/log/end.tsx";
import { Facts, Page, Panel } from "../../parts/page.tsx";
import { Loaded } from "../../parts/states.tsx";
import { sayDone } from "../../parts/toast.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import {
  DrainButton,
  pathOf,
  reloadEndpoints,
  SyncButton,
  setDraining,
  TestButton,
} from "./actions.tsx";
import { Checks } from "./checks.tsx";
import { deviceOf } from "./endpoints.tsx";
import { EndpointForm } from "./form.tsx";
import { kindName, MEMORY_TONES, Slots, StatusBadge } from "./status.tsx";
import { endpointsTexts } from "./texts.ts";

/** One endpoint: what it is, how it does, and what can be done with it. */
export function EndpointPage() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const query = useEndpoint(id);
  return (
    <Loaded query={query}>
      {(endpoint) => (
        <Page
          title={endpoint.name}
          actions={
            <>
              <LogLink endpoint={endpoint} />
              <Actions endpoint={endpoint} />
            </>
          }
        >
          <Troubles endpoint={endpoint} />
          <Panel>
            <EndpointFacts endpoint={endpoint} />
          </Panel>
          <Checks key={id} id={id} />
          <Models endpoint={endpoint} />
          <Log endpoint={endpoint} />
        </Page>
      )}
    </Loaded>
  );
}

/** Leads to the log of a node; other servers keep theirs to themselves. */
function LogLink({ endpoint: { id, kind } }: { endpoint: EndpointDetail }) {
  const t = useTexts(endpointsTexts);
  const may = useMay();
  if (kind !== "llmlb" || !may("logs.read")) return null;
  return (
    <Link to="/logs" search={{ source: id } as never} className="button">
      {t("logs")}
    </Link>
  );
}

/** `open`: the window that is open, `edit`, `drain` or `delete`. */
const DEFAULTS = { open: "" };

function Actions({ endpoint }: { endpoint: EndpointDetail }) {
  const t = useTexts(endpointsTexts);
  const { count } = useFormat();
  const may = useMay();
  const navigate = useNavigate();
  const [{ open }, change] = useUrlState(DEFAULTS);
  const { id, name, base_url: url, source } = endpoint;
  if (!may("endpoints.manage")) return null;
  const setOpen = (window: string) => change({ open: window });
  const close = () => setOpen("");
  const drain = async () => {
    await setDraining(id, true);
    sayDone(t("drained", { name }));
    await reloadEndpoints();
  };
  const remove = async () => {
    await send(`DELETE ${pathOf(id)}`);
    sayDone(t("deleted", { name }));
    await navigate({ to: "/endpoints" });
    await reloadEndpoints();
  };
  // What the settings or this process put there comes back.
  const isOwn = source === "api" || source === "node";
  return (
    <>
      <TestButton endpoint={endpoint} />
      <SyncButton endpoint={endpoint} />
      <DrainButton endpoint={endpoint} onDrain={() => setOpen("drain")} />
      {isOwn && (
        <>
          <Button icon="pencil" onClick={() => setOpen("edit")}>
            {t("edit")}
          </Button>
          <Button kind="danger" onClick={() => setOpen("delete")}>
            {t("delete")}
          </Button>
        </>
      )}
      <EndpointForm isOpen={open === "edit"} onClose={close} endpoint={endpoint} />
      <Confirm
        {...{ isOpen: open === "drain", onClose: close, run: drain, action: t("drain") }}
        title={t("drain_title", { name })}
        text={t("drain_text", { name, active: count(endpoint.active_requests) })}
        failure={t("drain_failed")}
      />
      <Confirm
        {...{ isOpen: open === "delete", onClose: close, run: remove, action: t("delete") }}
        {...{ title: t("delete_title", { name }), text: t("delete_text", { name, url }) }}
        failure={t("delete_failed")}
      />
    </>
  );
}

function Troubles({ endpoint }: { endpoint: EndpointDetail }) {
  const t = useTexts(endpointsTexts);
  const { count } = useFormat();
  const { last_error, last_request_error, models_limited, draining, moved_streams } = endpoint;
  const active = endpoint.active_requests;
  const drained = active > 0 ? t("drained_running", { active: count(active) }) : t("drained_done");
  const reasons = [last_error, last_request_error ?? null, models_limited ?? null];
  return (
    <>
      {draining && (
        <div className="note">
          {drained} {moved_streams > 0 && t("drained_moved", { moved: count(moved_streams) })}
        </div>
      )}
      {endpoint.api_key_unreadable && <div className="note is-bad">{t("key_unreadable")}</div>}
      {reasons
        .filter((reason) => reason !== null)
        .map((reason) => (
          <div key={reason} className="note is-warn">
            {reason}
          </div>
        ))}
    </>
  );
}

function EndpointFacts({ endpoint }: { endpoint: EndpointDetail }) {
  const t = useTexts(endpointsTexts);
  const { count, duration, ago, time } = useFormat();
  const { last_seen, kind, source, notes } = endpoint;
  const latency = endpoint.inference_latency_ms;
  return (
    <Facts
      facts={[
        [t("status"), <StatusBadge key="status" endpoint={endpoint} />],
        [t("url"), endpoint.base_url],
        [t("kind"), kindName(kind)],
        [t("device"), deviceOf(endpoint, t)],
        [
          t("cells"),
          <Slots key="slots" active={endpoint.active_requests} slots={endpoint.slots_in_effect} />,
        ],
        [t("latency_requests"), latency === null ? t("unmeasured") : duration(latency)],
        [t("latency_check"), duration(endpoint.latency_ms)],
        [t("circuit"), t(`circuit_${endpoint.circuit}`)],
        [t("total"), count(endpoint.total_requests)],
        [t("failures"), count(endpoint.failed_requests)],
        [t("seen"), last_seen === null ? t("never") : ago(last_seen)],
        [t("source"), t(`source_${source}`)],
        [t("registered"), time(endpoint.registered_at)],
        ...(notes === null ? [] : [[t("notes"), notes] as const]),
      ]}
    />
  );
}

/** Only an llmlb has a log that can be read from here. */
function Log({ endpoint: { id, kind } }: { endpoint: EndpointDetail }) {
  const may = useMay();
  return kind === "llmlb" && may("logs.read") ? <LogEnd source={id} /> : null;
}

function Models({ endpoint: { models } }: { endpoint: EndpointDetail }) {
  const t = useTexts(endpointsTexts);
  return (
    <Panel title={t("models")} actions={<span className="muted">{models.length}</span>}>
      {models.length === 0 && <p className="well">{t("models_none")}</p>}
      <div className="models">
        {models.map(({ model_id, capabilities, state }) => (
          <div key={model_id} className="model-line">
            <span className="mono">{model_id}</span>
            <span className="row">
              {state !== null && <Badge tone={MEMORY_TONES[state]}>{t(`state_${state}`)}</Badge>}
              {capabilities?.map((capability) => (
                <Badge key={capability} tone="quiet">
                  {capability}
                </Badge>
              ))}
            </span>
          </div>
        ))}
      </div>
    </Panel>
  );
}

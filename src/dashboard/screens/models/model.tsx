import { Link, useNavigate, useParams } from "@tanstack/react-router";
import type { RegisteredDetail } from "../../../wire/registry.ts";
import { useMay } from "../../api/account.ts";
import { type ListedModel, useModel } from "../../api/models.ts";
import { usePulls } from "../../live/hooks.ts";
import { Badge } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { Confirm } from "../../parts/dialog.tsx";
import { Facts, Page, Panel } from "../../parts/page.tsx";
import { Loaded } from "../../parts/states.tsx";
import { sayDone } from "../../parts/toast.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { NOTHING, useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Aliases } from "./aliases.tsx";
import { removeModel, usePlaces, useRegistered } from "./calls.ts";
import { ModelBadge } from "./columns.tsx";
import { EditWindow } from "./edit.tsx";
import { Places } from "./places.tsx";
import { Pulls } from "./pulls.tsx";
import { SettingsPanel, SettingsWindow } from "./settings.tsx";
import { rowsOf, sourceOf } from "./state.ts";
import { modelsTexts } from "./texts.ts";

/** `open`: the window that is open: `edit`, `settings`, or the question `delete`. */
const DEFAULTS = { open: "" };

/** One model: how it is with it, where it is, and what can be done with it. */
export function ModelScreen() {
  const { name = "" } = useParams({ strict: false }) as { name?: string };
  const query = useModel(name);
  return (
    <Loaded query={query}>
      {(model) =>
        sourceOf(model) === "registered" ? <Registered model={model} /> : <Found model={model} />
      }
    </Loaded>
  );
}

/** A model that an endpoint or a cloud has by itself. */
function Found({ model }: { model: ListedModel }) {
  const t = useTexts(modelsTexts);
  const isCloud = sourceOf(model) === "cloud";
  return (
    <Page title={model.id} actions={<Chat model={model} />}>
      <Panel>
        <Facts
          facts={[
            [t("state"), <State key="state" model={model} />],
            [t("source"), isCloud ? model.owned_by : t("source_found")],
            [t("capabilities"), <Capabilities key="can" model={model} />],
            ...(model.aliases.length > 0
              ? [[t("aliases"), model.aliases.join(", ")] as const]
              : []),
          ]}
        />
      </Panel>
      {!isCloud && <Places model={model} />}
      {!isCloud && <div className="note">{t("found_text")}</div>}
    </Page>
  );
}

function Registered({ model }: { model: ListedModel }) {
  const query = useRegistered(model.id);
  return (
    <Loaded query={query}>{(detail) => <RegisteredPage model={model} detail={detail} />}</Loaded>
  );
}

interface RegisteredProps {
  model: ListedModel;
  detail: RegisteredDetail;
}

function RegisteredPage({ model, detail }: RegisteredProps) {
  const may = useMay();
  const [{ open }, change] = useUrlState(DEFAULTS);
  const mayManage = may("models.manage");
  const close = () => change({ open: "" });
  return (
    <Page
      title={detail.display_name ?? detail.id}
      actions={
        <>
          <Chat model={model} />
          {mayManage && <Actions onOpen={(one) => change({ open: one })} />}
        </>
      }
    >
      <Pulls model={model} mayManage={mayManage} />
      <Panel>
        <RegisteredFacts model={model} detail={detail} />
      </Panel>
      <Places model={model} />
      <Aliases detail={detail} mayManage={mayManage} />
      <SettingsPanel
        settings={detail.settings}
        {...(mayManage && { onEdit: () => change({ open: "settings" }) })}
      />
      <Warnings warnings={detail.warnings} />
      {mayManage && (
        <>
          <SettingsWindow isOpen={open === "settings"} onClose={close} detail={detail} />
          <EditWindow isOpen={open === "edit"} onClose={close} detail={detail} />
          <DeleteQuestion isOpen={open === "delete"} onClose={close} detail={detail} />
        </>
      )}
    </Page>
  );
}

function Actions({ onOpen }: { onOpen(open: string): void }) {
  const t = useTexts(modelsTexts);
  return (
    <>
      <Button icon="pencil" onClick={() => onOpen("edit")}>
        {t("edit")}
      </Button>
      <Button kind="danger" onClick={() => onOpen("delete")}>
        {t("delete")}
      </Button>
    </>
  );
}

/** Leads to the playground with the model, as soon as it answers. */
function Chat({ model: { id, ready, capabilities } }: { model: ListedModel }) {
  const t = useTexts(modelsTexts);
  const may = useMay();
  if (!ready || capabilities.chat_completion === false || !may("openai.inference")) return null;
  return (
    <Link to="/playground" search={{ model: id } as never} className="button is-primary">
      {t("chat")}
    </Link>
  );
}

function State({ model }: { model: ListedModel }) {
  const pulls = usePulls();
  const places = usePlaces(model.id);
  const loaded = (places.data?.endpoints ?? []).map(({ endpoint, state, active_requests }) => {
    return { model: model.id, endpoint, state, active_requests };
  });
  const [row] = rowsOf([model], { loaded, pulls });
  return row === undefined ? null : <ModelBadge state={row.state} />;
}

function Capabilities({ model: { capabilities } }: { model: ListedModel }) {
  // These two say the same of every model.
  const shown = Object.entries(capabilities).filter(
    ([name, has]) => has && name !== "inference" && name !== "fine_tune",
  );
  return (
    <span className="row">
      {shown.map(([name]) => (
        <Badge key={name} tone="quiet">
          {name}
        </Badge>
      ))}
    </span>
  );
}

function RegisteredFacts({ model, detail }: RegisteredProps) {
  const t = useTexts(modelsTexts);
  const { bytes, count, time } = useFormat();
  const { repo, filename, primary, quantization, context_length: context, revision } = detail;
  const { nodes, replicas, architectures, kind } = detail;
  const where = [
    nodes === null ? t("nodes_all") : nodes.join(", "),
    ...(replicas === null ? [] : [t("n_replicas", { count: replicas })]),
  ];
  return (
    <Facts
      facts={[
        [t("state"), <State key="state" model={model} />],
        [t("repo_name"), repo],
        [t("file"), filename ?? primary ?? NOTHING],
        [t("kind"), [kind, quantization, ...architectures].filter(Boolean).join(" · ")],
        [t("size"), bytes(detail.size_bytes)],
        [t("memory"), t("about", { size: bytes(detail.required_memory_bytes) })],
        ...(context === null ? [] : [[t("context"), count(context)] as const]),
        [t("capabilities"), <Capabilities key="can" model={model} />],
        [t("placement"), where.join(" · ")],
        ...(revision === null
          ? []
          : [
              [
                t("revision"),
                <span key="rev" className="mono" title={revision}>
                  {revision.slice(0, 12)}
                </span>,
              ] as const,
            ]),
        [t("registered_at"), time(detail.registered_at)],
      ]}
    />
  );
}

/** What there was to say of it when it was registered. */
function Warnings({ warnings }: { warnings: readonly string[] }) {
  const t = useTexts(modelsTexts);
  if (warnings.length === 0) return null;
  return (
    <Panel title={t("warnings")}>
      {warnings.map((warning) => (
        <p key={warning} className="well">
          {warning}
        </p>
      ))}
    </Panel>
  );
}

interface QuestionProps {
  isOpen: boolean;
  onClose(): void;
  detail: RegisteredDetail;
}

/** Says what goes with a model, and deletes it. */
function DeleteQuestion({ isOpen, onClose, detail }: QuestionProps) {
  const t = useTexts(modelsTexts);
  const navigate = useNavigate();
  const { bytes } = useFormat();
  const { data } = usePlaces(detail.id);
  const { id, aliases, settings, size_bytes: size } = detail;
  const endpoints = data?.endpoints ?? [];
  const parts = [
    endpoints.length > 0
      ? t("delete_files", { count: endpoints.length, size: bytes(size) })
      : t("delete_no_files"),
    ...(aliases.length > 0 ? [t("delete_aliases", { names: aliases.join(", ") })] : []),
    ...(settings === null ? [] : [t("delete_settings")]),
    t("delete_requests"),
  ];
  const run = async () => {
    await removeModel(id, () => navigate({ to: "/models" }));
    sayDone(t("deleted", { name: id }), t("deleted_text"));
  };
  return (
    <Confirm
      {...{ isOpen, onClose, run, action: t("delete"), failure: t("delete_failed") }}
      {...{ title: t("delete_title", { name: id }), text: parts.join(" ") }}
    />
  );
}

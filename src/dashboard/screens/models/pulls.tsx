import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import type { ModelProgress, NodeModelState } from "../../../wire/sync.ts";
import { useEndpoints } from "../../api/endpoints.ts";
import type { ListedModel } from "../../api/models.ts";
import { useSubmission } from "../../api/submission.ts";
import { usePulls } from "../../live/hooks.ts";
import { Badge, type Tone } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { Panel } from "../../parts/page.tsx";
import { Progress } from "../../parts/progress.tsx";
import { sayDone, sayFailed } from "../../parts/toast.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { changeModel, pullModel, useProgress } from "./calls.ts";
import { placesTexts } from "./placestexts.ts";
import { type PullRow, pullRows } from "./pullrows.ts";
import { modelSettingsTexts } from "./settingstexts.ts";
import { isUnderWay, shareOf } from "./state.ts";

interface PullsProps {
  model: ListedModel;
  mayManage: boolean;
}

/** How far each node is with fetching a model; nothing once all that fetch it have it. */
export function Pulls({ model, mayManage }: PullsProps) {
  const t = useTexts(placesTexts);
  const { data, refetch } = useProgress(model.id);
  const key = model.id.toLowerCase();
  const steps = usePulls().filter((pull) => pull.model.toLowerCase() === key);
  const moment = steps.map(({ endpoint_name, state }) => `${endpoint_name} ${state}`).join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: another state may be another reason
  useEffect(() => void refetch(), [moment]);
  if (data === undefined) return null;
  const rows = pullRows(data, steps);
  const isDone = rows.length > 0 && rows.every(({ state }) => state === "ready");
  if (isDone && model.ready) return null;
  const hasFailed = rows.some(({ state }) => !isUnderWay(state) && state !== "ready");
  return (
    <Panel title={t("pulls")} actions={hasFailed && mayManage && <Retry id={model.id} />}>
      {rows.length === 0 ? (
        <Nobody model={model} mayManage={mayManage} />
      ) : (
        <ul className="pulls">
          {rows.map((row) => (
            <Row key={row.node} row={row} />
          ))}
        </ul>
      )}
      <Workers progress={data} mayManage={mayManage} />
    </Panel>
  );
}

const TONES: Record<NodeModelState, Tone> = {
  ...{ waiting: "quiet", pulling: "accent", ready: "ok", failed: "bad", unusable: "bad" },
};

function Row({ row }: { row: PullRow }) {
  const t = useTexts(placesTexts);
  const { node, state, error } = row;
  const isBad = state === "failed" || state === "unusable";
  const share = state === "ready" ? 1 : shareOf(row);
  return (
    <li>
      <span className="pull-node cut">{node}</span>
      <Badge tone={TONES[state]}>{t(`pull_${state}`)}</Badge>
      {!isBad && <Progress label={t("progress_of", { model: node })} share={share} />}
      <span className="pull-numbers number muted">
        <Numbers row={row} />
      </span>
      {error !== null && <p className="pull-error">{error}</p>}
    </li>
  );
}

function Numbers({ row }: { row: PullRow }) {
  const t = useTexts(placesTexts);
  const { bytes, duration, percent } = useFormat();
  const { state, total_bytes: total, rate_bytes_per_s: rate, eta_s: eta } = row;
  const share = shareOf(row);
  if (state === "ready" || share === undefined) return null;
  const parts = [percent(share), t("of_bytes", { part: bytes(row.bytes), all: bytes(total) })];
  if (state === "pulling") {
    parts.push(t("per_second", { size: bytes(rate) }));
    if (eta !== null) parts.push(t("left", { time: duration(eta * 1000) }));
  }
  return parts.join(" · ");
}

function Retry({ id }: { id: string }) {
  const t = useTexts(placesTexts);
  const retry = useSubmission({
    mutationFn: () => pullModel(id),
    onSuccess: ({ nodes }) => sayDone(t("retried"), nodes.slice(0, 10).join(", ")),
    onError: (error) => sayFailed(t("retry_failed"), error),
  });
  return (
    <Button icon="refresh" isBusy={retry.isPending} onClick={() => retry.mutate()}>
      {t("retry")}
    </Button>
  );
}

/** No node has said anything of the model yet, or there is none. */
function Nobody({ model, mayManage }: PullsProps) {
  const t = useTexts(placesTexts);
  const { data } = useEndpoints();
  if (data === undefined) return null;
  const nodes = data.endpoints.filter(({ source }) => source === "node" || source === "local");
  if (nodes.length > 0) return <p className="well">{t("pulls_soon")}</p>;
  return (
    <p className="well">
      {model.ready ? t("no_nodes_served") : t("no_nodes")}{" "}
      {mayManage && (
        <Link to="/endpoints" search={{ open: "join" } as never}>
          {t("join")}
        </Link>
      )}
    </p>
  );
}

/** A model that is too large for its nodes may fit with the devices of others. */
function Workers({ progress, mayManage }: { progress: ModelProgress; mayManage: boolean }) {
  const t = useTexts(placesTexts);
  const settingsText = useTexts(modelSettingsTexts);
  const { model, proposed_workers: workers } = progress;
  const use = useSubmission({
    mutationFn: () => changeModel(model, { settings: { workers } }),
    onSuccess: () => sayDone(settingsText("settings_saved", { name: model })),
    onError: (error) => sayFailed(settingsText("settings_failed"), error),
  });
  if (workers === undefined) return null;
  return (
    <div className="row well">
      {t("workers_text", { names: workers.join(", ") })}
      {mayManage && (
        <Button isBusy={use.isPending} onClick={() => use.mutate()}>
          {t("workers_use")}
        </Button>
      )}
    </div>
  );
}

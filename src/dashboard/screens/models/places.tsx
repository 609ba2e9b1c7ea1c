import { Link } from "@tanstack/react-router";
import type { ModelPlace } from "../../../wire/modelplace.ts";
import { RESIDENCY_ACTIONS, type ResidencyAction } from "../../../wire/residency.ts";
import { useMay } from "../../api/account.ts";
import type { ListedModel } from "../../api/models.ts";
import { useSubmission } from "../../api/submission.ts";
import { Badge } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { Panel } from "../../parts/page.tsx";
import { Loaded } from "../../parts/states.tsx";
import { sayDone, sayFailed } from "../../parts/toast.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { MEMORY_TONES } from "../endpoints/status.tsx";
import { changeResidency, usePlaces } from "./calls.ts";
import { placesTexts } from "./placestexts.ts";

/** The endpoints that serve a model, whether it is in their memory, and what puts it there. */
export function Places({ model }: { model: ListedModel }) {
  const t = useTexts(placesTexts);
  const may = useMay();
  const query = usePlaces(model.id);
  const endpoints = query.data?.endpoints ?? [];
  const mayManage = may("models.manage");
  const has = (action: ResidencyAction) => endpoints.some((one) => one.actions.includes(action));
  const isLoaded = endpoints.some(({ state }) => state === "loaded" || state === "loading");
  const actions = mayManage && (
    <span className="row">
      {has("load") && !isLoaded && endpoints.length > 1 && (
        <ActionButton action="load" model={model.id} label={t("load")} />
      )}
      {has("unload") && isLoaded && endpoints.length > 1 && (
        <ActionButton action="unload" model={model.id} label={t("unload_all")} />
      )}
    </span>
  );
  return (
    <Panel title={t("served_by")} actions={actions}>
      <Loaded query={query}>
        {(places) =>
          places.endpoints.length === 0 ? (
            <p className="well">{t("places_none")}</p>
          ) : (
            <ul className="place-list">
              {places.endpoints.map((place) => (
                <Place key={place.endpoint_id} {...{ place, model: model.id, mayManage }} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Place({
  place,
  model,
  mayManage,
}: {
  place: ModelPlace;
  model: string;
  mayManage: boolean;
}) {
  const t = useTexts(placesTexts);
  const { bytes, time, count } = useFormat();
  const { endpoint, endpoint_id: id, state, status, pinned, actions } = place;
  const facts = [
    ...(place.size_bytes === null ? [] : [bytes(place.size_bytes)]),
    ...(place.active_requests > 0 ? [t("n_requests", { n: count(place.active_requests) })] : []),
    ...(place.expires_at === null ? [] : [t("until", { time: time(place.expires_at) })]),
  ];
  const offered = RESIDENCY_ACTIONS.filter(
    (action) => actions.includes(action) && isUseful(action, place),
  );
  return (
    <li>
      <span className="place-name">
        <Link to="/endpoints/$id" params={{ id } as never} className="name-cell">
          {endpoint}
        </Link>
        {status !== "online" && <Badge tone="bad">{t(`endpoint_${status}`)}</Badge>}
        {status === "online" && (
          <Badge tone={state === null ? "quiet" : MEMORY_TONES[state]}>
            {t(`memory_${state ?? "unknown"}`)}
          </Badge>
        )}
        {pinned && <Badge tone="accent">{t("pinned")}</Badge>}
      </span>
      <span className="place-facts muted number">{facts.join(" · ")}</span>
      {mayManage && (
        <span className="row is-end">
          {offered.map((action) => (
            <ActionButton key={action} {...{ action, model, endpoint }} label={t(action)} />
          ))}
        </span>
      )}
    </li>
  );
}

/** What changes something: nobody loads what is loaded. */
function isUseful(action: ResidencyAction, { state, pinned }: ModelPlace): boolean {
  switch (action) {
    case "load":
      return state !== "loaded" && state !== "loading";
    case "unload":
      return state === "loaded";
    case "pin":
      return !pinned;
    case "unpin":
      return pinned;
  }
}

interface ActionProps {
  action: ResidencyAction;
  model: string;
  /** Default: where the balancer chooses. */
  endpoint?: string;
  label: string;
}

function ActionButton({ action, model, endpoint, label }: ActionProps) {
  const t = useTexts(placesTexts);
  const change = useSubmission({
    mutationFn: () =>
      changeResidency(action, { model, ...(endpoint !== undefined && { endpoint }) }),
    onSuccess: ({ endpoints }) => {
      const names = endpoints.filter(({ error }) => error === null).map((one) => one.endpoint);
      sayDone(t(`${action}_done`, { name: model }), names.join(", "));
      const failed = endpoints.filter(({ error }) => error !== null);
      for (const { endpoint: name, error } of failed) {
        sayFailed(t(`${action}_failed`, { name: model }), `${name}: ${error}`);
      }
    },
    onError: (error) => sayFailed(t(`${action}_failed`, { name: model }), error),
  });
  const where = endpoint === undefined ? {} : { "aria-label": `${label} · ${endpoint}` };
  return (
    <Button {...where} isBusy={change.isPending} onClick={() => change.mutate()}>
      {label}
    </Button>
  );
}

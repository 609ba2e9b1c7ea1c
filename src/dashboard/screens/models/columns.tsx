import { Link } from "@tanstack/react-router";
import { Badge, type Tone } from "../../parts/badge.tsx";
import { Progress } from "../../parts/progress.tsx";
import type { Column } from "../../parts/table.tsx";
import { type Format, NOTHING } from "../../text/format.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { placesTexts } from "./placestexts.ts";
import { isUnderWay, MODEL_STATES, type ModelRow, type ModelState, shareOf } from "./state.ts";
import { modelsTexts } from "./texts.ts";

type T = Translate<keyof typeof modelsTexts.en>;

const TONES: Record<ModelState, Tone> = {
  ...{ loaded: "ok", ready: "ok", fetching: "accent" },
  ...{ waiting: "quiet", offline: "warn", failed: "bad" },
};

/** How it is with a model, in a word. */
export function ModelBadge({ state }: { state: ModelState }) {
  const t = useTexts(modelsTexts);
  return <Badge tone={TONES[state]}>{t(`state_${state}`)}</Badge>;
}

/** The columns of the list of models. */
export function modelColumns(t: T, format: Format): readonly Column<ModelRow>[] {
  return [
    {
      ...{ key: "name", title: t("name"), width: "minmax(130px, 1.7fr)" },
      sortBy: ({ model }) => model.id,
      cell: ({ model: { id, aliases } }) => (
        <Link
          to="/models/$name"
          params={{ name: id } as never}
          className="name-cell"
          title={[id, ...aliases].join("\n")}
        >
          {id}
        </Link>
      ),
    },
    {
      ...{ key: "state", title: t("state"), width: "minmax(104px, 0.9fr)" },
      sortBy: ({ state }) => MODEL_STATES.indexOf(state),
      cell: (row) => <StateCell row={row} format={format} />,
    },
    {
      ...{ key: "places", title: t("places"), width: "minmax(90px, 1fr)", isMinor: true },
      sortBy: ({ places }) => -places.length,
      cell: (row) => <PlaceNames row={row} />,
    },
    {
      ...{ key: "source", title: t("source"), width: "112px", isMinor: true },
      sortBy: ({ source, model }) => t(`source_${source}`) + model.owned_by,
      cell: ({ source, model }) =>
        source === "cloud" ? (
          <span title={model.owned_by}>{model.owned_by}</span>
        ) : (
          t(`source_${source}`)
        ),
    },
    {
      ...{ key: "size", title: t("size"), width: "84px", align: "end", isMinor: true },
      sortBy: ({ model }) => model.size_bytes ?? -1,
      cell: ({ model: { size_bytes: size } }) => (size ? format.bytes(size) : NOTHING),
    },
  ];
}

/** The state, and of a pull how far it is. */
function StateCell({ row, format }: { row: ModelRow; format: Format }) {
  const t = useTexts(placesTexts);
  const { state, pulls } = row;
  const shares = pulls
    .filter((pull) => isUnderWay(pull.state))
    .flatMap((one) => shareOf(one) ?? []);
  const share = shares.length > 0 ? Math.max(...shares) : undefined;
  const reason = state === "failed" ? pulls.find(({ error }) => error !== null)?.error : undefined;
  return (
    <span className="model-state" {...(reason && { title: reason })}>
      <ModelBadge state={state} />
      {share !== undefined && (
        <>
          <Progress label={t("progress_of", { model: row.model.id })} share={share} />
          <span className="number muted">{format.percent(share)}</span>
        </>
      )}
    </span>
  );
}

const PLACES_MAX = 3;

/** The endpoints that serve a model, those in bright that have it loaded. */
function PlaceNames({ row: { places } }: { row: ModelRow }) {
  const t = useTexts(placesTexts);
  if (places.length === 0) return <span className="muted">{NOTHING}</span>;
  const shown = places.slice(0, PLACES_MAX);
  const textOf = ({ endpoint, state }: (typeof places)[number]) =>
    state === null ? endpoint : `${endpoint} · ${t(`memory_${state}`)}`;
  const title = places.slice(0, 30).map(textOf).join("\n");
  return (
    <span className="places" title={title}>
      {shown.map(({ endpoint, state }) => (
        <span key={endpoint} className={`place is-${state ?? "cold"}`}>
          <span className="place-dot" />
          {endpoint}
        </span>
      ))}
      {places.length > PLACES_MAX && <span className="muted">+{places.length - PLACES_MAX}</span>}
    </span>
  );
}

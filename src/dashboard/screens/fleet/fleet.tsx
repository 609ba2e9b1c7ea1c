import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { EndpointView } from "../../../wire/endpoint.ts";
import { useMay } from "../../api/account.ts";
import { useEndpoints } from "../../api/endpoints.ts";
import { useLoads, useQueues } from "../../live/hooks.ts";
import { FilterChoice, Filters } from "../../parts/filters.tsx";
import { Page } from "../../parts/page.tsx";
import { Empty, Loaded } from "../../parts/states.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { Figures } from "./figures.tsx";
import { InkContext } from "./ink.tsx";
import { type Inks, inksFor } from "./inks.ts";
import { Key } from "./key.tsx";
import type { Size } from "./layout.ts";
import { FleetMap } from "./map.tsx";
import { ModelStrip } from "./models.tsx";
import { type Condition, type HostPicture, pictureOf } from "./picture.ts";
import { fleetTexts } from "./texts.ts";

/** `size`: how large hosts are drawn; empty: by their number. */
const DEFAULTS = { search: "", state: "", size: "" };

const CONDITIONS: readonly Condition[] = [
  ...(["online", "error", "circuit_open", "circuit_testing"] as const),
  ...(["draining", "offline", "pending"] as const),
];

const SIZES: readonly Size[] = ["large", "medium", "small"];

/** All hosts, what is in their memory, and what they work on: the fleet as a picture. */
export function Fleet() {
  const query = useEndpoints();
  const [state, change] = useUrlState(DEFAULTS);
  const hasHosts = (query.data?.endpoints.length ?? 0) > 0;
  return (
    <Page
      title={useTitle("fleet")}
      actions={hasHosts && <FleetFilters state={state} change={change} />}
    >
      <Loaded query={query}>
        {({ endpoints }) => (hasHosts ? <Hosts {...{ endpoints, state }} /> : <NoHosts />)}
      </Loaded>
    </Page>
  );
}

function FleetFilters(props: {
  state: typeof DEFAULTS;
  change(changes: Partial<typeof DEFAULTS>): void;
}) {
  const { state, change } = props;
  const t = useTexts(fleetTexts);
  return (
    <Filters label={t("search")} text={state.search} onText={(search) => change({ search })}>
      <FilterChoice
        {...{ label: t("condition"), value: state.state }}
        options={[
          ["", t("all_conditions")],
          ...CONDITIONS.map((one) => [one, t(`condition_${one}`)] as const),
        ]}
        onChange={(condition) => change({ state: condition })}
      />
      <FilterChoice
        {...{ label: t("size"), value: state.size }}
        options={[["", t("size_auto")], ...SIZES.map((one) => [one, t(`size_${one}`)] as const)]}
        onChange={(size) => change({ size })}
      />
    </Filters>
  );
}

function NoHosts() {
  const t = useTexts(fleetTexts);
  const may = useMay();
  return (
    <Empty title={t("empty")} text={t("empty_text")}>
      {may("endpoints.manage") && (
        <Link to="/endpoints" className="button">
          {t("go_to_endpoints")}
        </Link>
      )}
    </Empty>
  );
}

function Hosts(props: { endpoints: readonly EndpointView[]; state: typeof DEFAULTS }) {
  const { endpoints, state } = props;
  const t = useTexts(fleetTexts);
  const queues = useQueues();
  const pictures = usePictures(endpoints);
  const inks = useInks(pictures, queues);
  const shown = pictures.filter((picture) => fits(picture, state)).sort(byName);
  const size = SIZES.find((one) => one === state.size);
  return (
    <InkContext value={inks}>
      <Figures pictures={pictures} queues={queues} />
      <ModelStrip pictures={pictures} queues={queues} />
      {shown.length === 0 && <Empty title={t("no_match")} />}
      {shown.length > 0 && <FleetMap pictures={shown} size={size} queues={queues} />}
      <Key />
    </InkContext>
  );
}

/** Pictures of all hosts; those that have not changed stay the same objects. */
function usePictures(endpoints: readonly EndpointView[]): readonly HostPicture[] {
  const loads = useLoads();
  const known = useRef<ReadonlyMap<string, HostPicture>>(new Map());
  const pictures = endpoints.map((endpoint) =>
    pictureOf(endpoint, loads.get(endpoint.id), known.current.get(endpoint.id)),
  );
  useEffect(() => {
    known.current = new Map(pictures.map((picture) => [picture.endpoint.id, picture]));
  });
  return pictures;
}

/** Inks of all models that are drawn; a model keeps its own while the page is open. */
function useInks(pictures: readonly HostPicture[], queues: Readonly<Record<string, number>>): Inks {
  const known = useRef<Inks>(new Map());
  const drawn = pictures.flatMap(({ endpoint: { host }, load }) => [
    ...host.models.flatMap(({ model, state }) => (state === "cold" ? [] : [model])),
    ...Object.keys(load.models),
  ]);
  const inks = inksFor([...drawn, ...Object.keys(queues)], known.current);
  useEffect(() => {
    known.current = inks;
  });
  return inks;
}

function fits({ endpoint, condition }: HostPicture, state: typeof DEFAULTS): boolean {
  if (state.state !== "" && state.state !== condition) return false;
  const part = state.search.toLowerCase();
  const names = [endpoint.name, ...endpoint.host.models.map(({ model }) => model)];
  return names.some((name) => name.toLowerCase().includes(part));
}

const ORDER = new Intl.Collator(undefined, { numeric: true });

function byName(a: HostPicture, b: HostPicture): number {
  return ORDER.compare(a.endpoint.name, b.endpoint.name);
}

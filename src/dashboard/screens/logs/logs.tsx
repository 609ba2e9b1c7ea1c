import { SEVERITIES } from "../../../lib/logentry.ts";
import { useEndpoints } from "../../api/endpoints.ts";
import { Button } from "../../parts/button.tsx";
import { FilterChoice, Filters } from "../../parts/filters.tsx";
import { lineKey } from "../../parts/log/text.ts";
import { useLogFeed } from "../../parts/log/usefeed.ts";
import { LogView } from "../../parts/log/view.tsx";
import { Page, Panel } from "../../parts/page.tsx";
import { useSettled } from "../../parts/settled.ts";
import { Empty } from "../../parts/states.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { WrittenLevel } from "./level.tsx";
import { LineWindow } from "./linewindow.tsx";
import { CopyLines, ExportLines } from "./taken.tsx";
import { logsTexts } from "./texts.ts";

const NONE = { search: "", level: "" };
/** `source`: an endpoint's id, or "" for the balancer; `line`: the one that is open. */
const DEFAULTS = { ...NONE, source: "", line: "" };
/** As many as the API tells at once. */
const FIRST_LINES = 1000;

interface StateProps {
  state: typeof DEFAULTS;
  change(changes: Partial<typeof DEFAULTS>): void;
}

/** The logs of the balancer and of each node, as they are written. */
export function Logs() {
  const [state, change] = useUrlState(DEFAULTS);
  const { source, search, level } = state;
  const chosen = useSettled({
    source,
    search,
    level: SEVERITIES.includes(level as never) ? level : "",
  });
  return (
    <Page title={useTitle("logs")} actions={source === "" && <WrittenLevel />}>
      <LogFilters {...{ state, change }} />
      <Panel>
        <Followed key={JSON.stringify(chosen)} {...{ state, change, chosen }} />
      </Panel>
    </Page>
  );
}

/** One log with one filter. */
function Followed(props: StateProps & { chosen: Omit<typeof DEFAULTS, "line"> }) {
  const { state, change, chosen } = props;
  const t = useTexts(logsTexts);
  const log = useLogFeed({ ...chosen, limit: FIRST_LINES });
  const isFiltered = chosen.search.trim() !== "" || chosen.level !== "";
  return (
    <>
      <LogView
        {...{ log, search: chosen.search }}
        {...(isFiltered && { empty: <Empty title={t("no_match")} text={t("no_match_text")} /> })}
        actions={(lines) => (
          <>
            <CopyLines lines={lines} />
            <ExportLines lines={lines} />
          </>
        )}
        onOpen={(line) => change({ line: lineKey(line) })}
      />
      <LineWindow
        {...{ lines: log.lines, isLoaded: log.isLoaded, lineKey: state.line }}
        onClose={() => change({ line: "" })}
        onSearch={(text) => change({ ...NONE, search: text, line: "" })}
      />
    </>
  );
}

function LogFilters({ state, change }: StateProps) {
  const t = useTexts(logsTexts);
  const { search, level, source } = state;
  return (
    <Filters label={t("search")} text={search} onText={(text) => change({ search: text })}>
      <FilterChoice
        {...{ label: t("level"), value: level, onChange: (one) => change({ level: one }) }}
        options={[
          ["", t("level_any")],
          ...SEVERITIES.map((one) => [one, t("level_from", { level: one })] as const),
        ]}
      />
      <FilterChoice
        {...{ label: t("source"), value: source, options: useSources(source) }}
        onChange={(one) => change({ source: one, line: "" })}
      />
      {(search !== "" || level !== "") && (
        <Button onClick={() => change(NONE)}>{t("filter_none")}</Button>
      )}
    </Filters>
  );
}

/** Whose logs can be read: the balancer's, and those of endpoints that are llmlbs. */
function useSources(chosen: string): [id: string, name: string][] {
  const t = useTexts(logsTexts);
  const { data } = useEndpoints();
  const nodes = (data?.endpoints ?? [])
    .filter(({ kind, id }) => kind === "llmlb" || id === chosen)
    .map(({ id, name }): [string, string] => [id, name])
    .sort(([, one], [, other]) => one.localeCompare(other, undefined, { numeric: true }));
  const isKnown = chosen === "" || nodes.some(([id]) => id === chosen);
  return [
    ["", t("balancer")],
    ...nodes,
    ...(isKnown ? [] : [[chosen, chosen] as [string, string]]),
  ];
}

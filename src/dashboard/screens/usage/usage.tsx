import { useEffect } from "react";
import type { UsageReport } from "../../../wire/usage.ts";
import { useMay } from "../../api/account.ts";
import { live } from "../../live/stream.ts";
import { IconButton } from "../../parts/button.tsx";
import { FilterChoice, FilterDays } from "../../parts/filters.tsx";
import { Page, Panel } from "../../parts/page.tsx";
import { Empty, Loaded } from "../../parts/states.tsx";
import { Tile } from "../../parts/tile.tsx";
import { NOTHING, useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { UsageBars } from "./bars.tsx";
import { reloadUsage, useUsage } from "./calls.ts";
import { MEASURES } from "./parts.ts";
import {
  GROUPS,
  PERIODS,
  SELECTIONS,
  type UsageState,
  usageQuery,
  useUsageState,
} from "./state.ts";
import { UsageTable } from "./table.tsx";
import { usageTexts } from "./texts.ts";

/** While requests end, it is asked for once in this time. */
const RELOAD_MS = 10_000;

/** How much was used, by whom and of what. */
export function Usage() {
  const t = useTexts(usageTexts);
  const [state, change] = useUsageState();
  const query = useUsage(usageQuery(state));
  useEffect(() => live.whileRequestsEnd(reloadUsage, RELOAD_MS), []);
  return (
    <Page
      title={useTitle("usage")}
      actions={
        <a className="button" href={`/api/usage/export?${usageQuery(state)}`} download>
          {t("export")}
        </a>
      }
    >
      <UsageFilters {...{ state, change }} />
      <Loaded query={query}>{(report) => <Report {...{ report, state, change }} />}</Loaded>
    </Page>
  );
}

interface ReportProps {
  report: UsageReport;
  state: UsageState;
  change(changes: Partial<UsageState>): void;
}

function Report({ report, state, change }: ReportProps) {
  const t = useTexts(usageTexts);
  const { count, money, percent, time } = useFormat();
  const { totals, rows, truncated } = report;
  const { requests, failed, input_tokens, cached_tokens, total_tokens, cost } = totals;
  const range = { from: time(report.from), to: time(report.to) };
  if (rows.length === 0) {
    return (
      <Panel>
        <Empty title={t("empty")} text={t("empty_text", range)} />
      </Panel>
    );
  }
  return (
    <>
      <div className="tiles">
        <Tile {...{ name: t("requests"), value: count(requests) }} />
        <Tile
          {...{ name: t("failed"), value: count(failed), isBad: failed > requests / 20 }}
          about={requests === 0 ? NOTHING : percent(failed / requests)}
        />
        <Tile {...{ name: t("tokens"), value: count(total_tokens) }} />
        <Tile
          {...{ name: t("cached"), value: count(cached_tokens) }}
          about={t("cached_share", {
            share: percent(input_tokens === 0 ? 0 : cached_tokens / input_tokens),
          })}
        />
        <Tile {...{ name: t("cost"), value: money(cost), about: t("cost_about") }} />
      </div>
      {truncated && <div className="note is-warn">{t("truncated")}</div>}
      <Panel title={t("over_time")} actions={<MeasureChoice {...{ state, change }} />}>
        <UsageBars report={report} measure={state.measure} />
      </Panel>
      <Panel>
        <UsageTable {...{ report, state, change }} />
      </Panel>
      <p className="hint">{t("range", range)}</p>
    </>
  );
}

type StateProps = Pick<ReportProps, "state" | "change">;

function MeasureChoice({ state, change }: StateProps) {
  const t = useTexts(usageTexts);
  return (
    <FilterChoice
      {...{ label: t("measure"), value: state.measure }}
      options={MEASURES.map((measure) => [measure, t(measure)] as const)}
      onChange={(measure) => change({ measure })}
    />
  );
}

function UsageFilters({ state, change }: StateProps) {
  const t = useTexts(usageTexts);
  const mayAll = useMay()("logs.read");
  const groups = GROUPS.filter((group) => mayAll || group !== "user");
  return (
    <div className="filters">
      <FilterChoice
        {...{ label: t("period"), value: state.by }}
        options={PERIODS.map((period) => [period, t(`period_${period}`)] as const)}
        onChange={(by) => change({ by, from: "", to: "" })}
      />
      <FilterChoice
        {...{ label: t("group"), value: state.group }}
        options={groups.map((group) => [group, t(`group_${group}`)] as const)}
        onChange={(group) => change({ group })}
      />
      <FilterDays {...{ from: state.from, to: state.to }} onChange={change} />
      {SELECTIONS.filter((name) => state[name] !== "").map((name) => (
        <span key={name} className="chip">
          <span className="cut">{t(`only_${name}`, { value: state[name] })}</span>
          <IconButton icon="close" label={t("only_none")} onClick={() => change({ [name]: "" })} />
        </span>
      ))}
    </div>
  );
}

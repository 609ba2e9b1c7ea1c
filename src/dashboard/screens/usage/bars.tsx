import { useMemo } from "react";
import type { UsageReport } from "../../../wire/usage.ts";
import { Bars } from "../../parts/bars.tsx";
import { Empty } from "../../parts/states.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { useGroupName, usePeriodName } from "./names.ts";
import { MEASURES, partsOf } from "./parts.ts";
import { periodsOf } from "./periods.ts";
import { oneOf } from "./state.ts";
import { usageTexts } from "./texts.ts";

/** A bar for each period, of the groups that used most. */
export function UsageBars({ report, measure: given }: { report: UsageReport; measure: string }) {
  const t = useTexts(usageTexts);
  const { count, money } = useFormat();
  const periodName = usePeriodName(report.by);
  const groupName = useGroupName();
  const measure = oneOf(MEASURES, given);
  const drawn = useMemo(() => {
    const periods = periodsOf(report);
    return { periods, parts: partsOf(report, periods, measure) };
  }, [report, measure]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: their words change with the language
  const named = useMemo(
    () => ({
      names: drawn.periods.map(periodName),
      parts: drawn.parts.map(({ row, color, values }) => ({
        name: row === null ? t("rest") : groupName(row),
        ...{ color, values },
      })),
    }),
    [drawn, t],
  );
  if (drawn.parts.length === 0) return <Empty title={t("nothing_measured")} />;
  const label = t("bars", { measure: t(measure) });
  return <Bars {...{ label, ...named }} format={measure === "cost" ? money : count} />;
}

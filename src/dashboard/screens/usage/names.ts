import type { UsageRowView } from "../../../wire/usage.ts";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import type { UsageState } from "./state.ts";
import { usageTexts } from "./texts.ts";

/** What a group is called. */
export function useGroupName(): (row: Pick<UsageRowView, "group" | "name">) => string {
  const t = useTexts(usageTexts);
  return ({ group, name }) => {
    if (group === null) return t("all");
    return name ?? (group === "" ? t("group_none") : group);
  };
}

/** What a period is called in the reader's language. */
export function usePeriodName(by: UsageState["by"]): (period: string) => string {
  const { clock, day, month } = useFormat();
  return by === "hour" ? clock : by === "month" ? month : day;
}

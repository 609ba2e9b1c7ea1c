import { useMemo } from "react";
import type { UsageReport, UsageRowView } from "../../../wire/usage.ts";
import { useMay } from "../../api/account.ts";
import { type Column, Table } from "../../parts/table.tsx";
import { useFormat } from "../../text/format.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { useGroupName, usePeriodName } from "./names.ts";
import { sumsOf } from "./parts.ts";
import type { UsageState } from "./state.ts";
import { usageTexts } from "./texts.ts";

interface UsageTableProps {
  report: UsageReport;
  state: UsageState;
  change(changes: Partial<UsageState>): void;
}

/** The groups with what each used, or the periods; a group leads to what it consists of. */
export function UsageTable({ report, state, change }: UsageTableProps) {
  const t = useTexts(usageTexts);
  const mayAll = useMay()("logs.read");
  const { group } = report;
  const rows = useMemo(() => sumsOf(report), [report]);
  const open = (row: UsageRowView) => {
    if (group === null || row.group === "") return;
    const next = group !== "model" ? "model" : mayAll ? "user" : "key";
    change({ [group]: row.name ?? row.group ?? "", group: next });
  };
  const columns = useColumns(t, report, open);
  return (
    <Table
      {...{ label: t("table"), columns, rows, sort: state.sort, empty: null }}
      {...{ idOf, onSort: (sort: string) => change({ sort }) }}
      {...(group !== null && { onOpen: open })}
    />
  );
}

const idOf = ({ period, group }: UsageRowView) => `${period} ${group}`;

function useColumns(
  t: Translate<keyof typeof usageTexts.en>,
  { by, group }: UsageReport,
  onOpen: (row: UsageRowView) => void,
): readonly Column<UsageRowView>[] {
  const { count, money } = useFormat();
  const groupName = useGroupName();
  const periodName = usePeriodName(by);
  const nameOf = (row: UsageRowView) =>
    group === null ? periodName(row.period ?? "") : groupName(row);
  const number = (name: keyof UsageRowView & NumberName, title: string, isMinor = false) => ({
    ...{ key: name === "total_tokens" ? "tokens" : name, title, isMinor, align: "end" as const },
    width: "minmax(64px, 0.7fr)",
    sortBy: (row: UsageRowView) => row[name],
    cell: (row: UsageRowView) => (name === "cost" ? money : count)(row[name]),
  });
  return [
    {
      ...{ key: "name", title: group === null ? t("period") : t(`group_${group}`) },
      width: "minmax(96px, 2fr)",
      sortBy: (row) => (group === null ? (row.period ?? "") : nameOf(row)),
      cell: (row) =>
        group === null || row.group === "" ? (
          nameOf(row)
        ) : (
          <button type="button" className="link" title={nameOf(row)} onClick={() => onOpen(row)}>
            {nameOf(row)}
          </button>
        ),
    },
    number("requests", t("requests")),
    number("failed", t("failed"), true),
    number("input_tokens", t("input"), true),
    number("cached_tokens", t("cached_short"), true),
    number("output_tokens", t("output"), true),
    number("total_tokens", t("tokens")),
    number("cost", t("cost")),
  ];
}

type NumberName =
  | ("requests" | "failed" | "input_tokens" | "cached_tokens" | "output_tokens")
  | ("total_tokens" | "cost");

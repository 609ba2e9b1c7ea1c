import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { AUDIT_ACTIONS, type AuditRecordView } from "../../../wire/audit.ts";
import { Button } from "../../parts/button.tsx";
import { filterQuery } from "../../parts/filterquery.ts";
import { FilterChoice, FilterDays, Filters, FilterText } from "../../parts/filters.tsx";
import { More } from "../../parts/more.tsx";
import { Page, Panel } from "../../parts/page.tsx";
import { useSettled } from "../../parts/settled.ts";
import { Empty, Loaded } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { type Format, NOTHING, useFormat } from "../../text/format.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { ActionBadge, actorOf } from "./action.tsx";
import { useAudit } from "./calls.ts";
import { auditTexts } from "./texts.ts";
import { VerifyWindow } from "./verify.tsx";

const NONE = { actor: "", action: "", route: "", address: "", status: "", from: "", to: "" };
/** `open`: the window that is open. */
const DEFAULTS = { ...NONE, open: "" };

type T = Translate<keyof typeof auditTexts.en>;

/** Who changed what, who logged in, and who was refused. */
export function Audit() {
  const t = useTexts(auditTexts);
  const [state, change] = useUrlState(DEFAULTS);
  const { open, ...filter } = state;
  const settled = useSettled(filter);
  const query = useAudit(settled);
  const actions = (
    <>
      <a className="button" href={`/api/audit/export?${filterQuery(filter)}`} download>
        {t("export")}
      </a>
      <Button kind="primary" onClick={() => change({ open: "verify" })}>
        {t("verify")}
      </Button>
    </>
  );
  return (
    <Page title={useTitle("audit")} actions={actions}>
      <AuditFilters {...{ state, change }} />
      <Panel>
        <Loaded query={query}>
          {({ pages }) => (
            <List
              records={pages.flatMap(({ records }) => records)}
              isFiltered={Object.values(settled).some((text) => text.trim() !== "")}
            />
          )}
        </Loaded>
      </Panel>
      <More query={query} />
      <VerifyWindow isOpen={open === "verify"} onClose={() => change({ open: "" })} />
    </Page>
  );
}

interface FiltersProps {
  state: typeof DEFAULTS;
  change(changes: Partial<typeof DEFAULTS>): void;
}

function AuditFilters({ state, change }: FiltersProps) {
  const t = useTexts(auditTexts);
  return (
    <Filters label={t("filter_actor")} text={state.actor} onText={(actor) => change({ actor })}>
      <FilterChoice
        {...{ label: t("action"), value: state.action }}
        options={[
          ["", t("action_any")],
          ...AUDIT_ACTIONS.map((action) => [action, t(`action_${action}`)] as const),
        ]}
        onChange={(action) => change({ action })}
      />
      <FilterText
        {...{ label: t("filter_route"), text: state.route }}
        onText={(route) => change({ route })}
      />
      <FilterText
        {...{ label: t("address"), text: state.address }}
        onText={(address) => change({ address })}
      />
      <FilterDays {...{ from: state.from, to: state.to }} onChange={change} />
      {Object.keys(NONE).some((name) => state[name as keyof typeof NONE] !== "") && (
        <Button onClick={() => change(NONE)}>{t("filter_none")}</Button>
      )}
    </Filters>
  );
}

interface ListProps {
  records: readonly AuditRecordView[];
  isFiltered: boolean;
}

function List({ records, isFiltered }: ListProps) {
  const t = useTexts(auditTexts);
  const format = useFormat();
  const navigate = useNavigate();
  const columns = useMemo(() => columnsOf(t, format), [t, format]);
  const open = ({ seq }: AuditRecordView) =>
    void navigate({ to: "/audit/$seq", params: { seq: String(seq) } as never });
  return (
    <Table
      {...{ label: t("list"), columns, rows: records, onOpen: open }}
      idOf={({ seq }: AuditRecordView) => String(seq)}
      empty={<Empty title={isFiltered ? t("no_match") : t("empty")} />}
    />
  );
}

function columnsOf(t: T, format: Format): readonly Column<AuditRecordView>[] {
  return [
    {
      ...{ key: "time", title: t("time"), width: "minmax(92px, 150px)" },
      cell: ({ seq, time }) => (
        <Link to="/audit/$seq" params={{ seq: String(seq) } as never}>
          {format.time(time)}
        </Link>
      ),
    },
    {
      ...{ key: "action", title: t("action"), width: "minmax(88px, 130px)" },
      cell: (record) => <ActionBadge record={record} />,
    },
    {
      ...{ key: "what", title: t("what"), width: "minmax(90px, 2fr)", isMinor: true },
      cell: ({ route, path }) => (
        <span className="mono" title={path ?? route ?? ""}>
          {route ?? path ?? NOTHING}
        </span>
      ),
    },
    {
      ...{ key: "subject", title: t("subject"), isMinor: true },
      cell: ({ subject }) => <span title={subject ?? ""}>{subject ?? NOTHING}</span>,
    },
    {
      ...{ key: "actor", title: t("actor"), width: "minmax(60px, 1fr)" },
      cell: (record) => <span title={actorOf(record, t)}>{actorOf(record, t)}</span>,
    },
    {
      ...{ key: "address", title: t("address"), width: "120px", isMinor: true },
      cell: ({ address }) => <span className="mono">{address ?? NOTHING}</span>,
    },
    {
      ...{ key: "status", title: t("status"), width: "56px", align: "end", isMinor: true },
      cell: ({ status }) => status ?? NOTHING,
    },
  ];
}

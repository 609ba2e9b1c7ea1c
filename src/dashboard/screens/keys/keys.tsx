import { useMemo, useState } from "react";
import type { KeyView, MadeKeyAnswer } from "../../../wire/account.ts";
import { useMay, useMe } from "../../api/account.ts";
import { Badge, type Tone } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { CopyText } from "../../parts/copy.tsx";
import { Confirm, Window } from "../../parts/dialog.tsx";
import { Filters } from "../../parts/filters.tsx";
import { useLimitsText } from "../../parts/limits/limits.tsx";
import { Page, Panel } from "../../parts/page.tsx";
import { Empty, Loaded } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { sayDone } from "../../parts/toast.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { removeKey, revokeKey, rotateKey, useKeys } from "./calls.ts";
import { KeyForm } from "./form.tsx";
import { keysTexts } from "./texts.ts";

const DEFAULTS = { search: "", sort: "name", open: "" };
const TONES: Record<KeyView["status"], Tone> = { active: "ok", expired: "quiet", revoked: "bad" };

type Action = "rotate" | "revoke" | "delete";
type Asked = { action: Action; key: KeyView };

/** The API keys: the reader's own, or all. */
export function Keys() {
  const t = useTexts(keysTexts);
  const me = useMe();
  const may = useMay();
  const query = useKeys();
  const [state, change] = useUrlState(DEFAULTS);
  const [made, setMade] = useState<MadeKeyAnswer>();
  const [asked, setAsked] = useState<Asked>();
  const isKey = me.data?.access === "required" && me.data.kind === "key";
  const canMake = !isKey || may("api_keys.manage");
  const add = (
    <Button kind="primary" icon="plus" onClick={() => change({ open: "add" })}>
      {t("add")}
    </Button>
  );
  return (
    <Page title={useTitle("keys")} actions={canMake && add}>
      <Filters label={t("search")} text={state.search} onText={(search) => change({ search })} />
      <Panel>
        <Loaded query={query}>
          {({ keys }) => <List {...{ keys, state, change, setAsked, canMake }} />}
        </Loaded>
      </Panel>
      <KeyForm
        {...{ isOpen: state.open === "add", onClose: () => change({ open: "" }) }}
        onMade={(key) => {
          change({ open: "" });
          setMade(key);
        }}
      />
      <MadeKey made={made} onClose={() => setMade(undefined)} />
      <Question asked={asked} onClose={() => setAsked(undefined)} onMade={setMade} />
    </Page>
  );
}

interface ListProps {
  keys: readonly KeyView[];
  state: typeof DEFAULTS;
  change(changes: Partial<typeof DEFAULTS>): void;
  setAsked(asked: Asked): void;
  canMake: boolean;
}

function List({ keys, state, change, setAsked, canMake }: ListProps) {
  const t = useTexts(keysTexts);
  const limitsText = useLimitsText();
  const columns = useMemo(() => {
    const all = columnsOf(t, limitsText);
    const actions: Column<KeyView> = {
      ...{ key: "actions", title: "", width: "auto", align: "end" },
      cell: (key) => <RowActions row={key} onAsk={(action) => setAsked({ action, key })} />,
    };
    return canMake ? [...all, { ...actions, width: "230px" }] : all;
  }, [t, limitsText, canMake, setAsked]);
  const part = state.search.toLowerCase();
  const rows = keys.filter(({ name, user }) =>
    [name, user.name].some((text) => text.toLowerCase().includes(part)),
  );
  const isNone = keys.length === 0;
  return (
    <Table
      {...{ label: t("list"), columns, rows, idOf: ({ id }: KeyView) => id }}
      {...{ sort: state.sort, onSort: (sort) => change({ sort }) }}
      empty={
        isNone ? (
          <Empty title={t("empty")} text={t("empty_text")} />
        ) : (
          <Empty title={t("no_match")} />
        )
      }
    />
  );
}

function RowActions({ row, onAsk }: { row: KeyView; onAsk(action: Action): void }) {
  const t = useTexts(keysTexts);
  const actions: Action[] = row.status === "active" ? ["rotate", "revoke", "delete"] : ["delete"];
  return (
    <span className="row is-end">
      {actions.map((action) => (
        <button key={action} type="button" className="link" onClick={() => onAsk(action)}>
          {t(action)}
        </button>
      ))}
    </span>
  );
}

function columnsOf(
  t: Translate<keyof typeof keysTexts.en>,
  limitsText: ReturnType<typeof useLimitsText>,
): Column<KeyView>[] {
  return [
    {
      ...{ key: "name", title: t("name"), width: "minmax(90px, 1.2fr)" },
      sortBy: ({ name }) => name,
      cell: ({ name }) => (
        <span className="name-cell" title={name}>
          {name}
        </span>
      ),
    },
    {
      ...{ key: "prefix", title: t("prefix"), width: "104px", isMinor: true },
      cell: ({ key_prefix }) => <span className="mono">{key_prefix}…</span>,
    },
    {
      ...{ key: "owner", title: t("owner"), isMinor: true },
      sortBy: ({ user }) => user.name,
      cell: ({ user }) => user.name,
    },
    {
      ...{ key: "status", title: t("status"), width: "88px" },
      sortBy: ({ status }) => status,
      cell: ({ status }) => <Badge tone={TONES[status]}>{t(`status_${status}`)}</Badge>,
    },
    {
      ...{ key: "models", title: t("models"), isMinor: true },
      cell: ({ models }) => models?.join(", ") ?? t("models_all"),
    },
    {
      ...{ key: "limits", title: t("limits"), isMinor: true },
      cell: ({ limits }) => <span title={limitsText(limits)}>{limitsText(limits)}</span>,
    },
    {
      ...{ key: "used", title: t("used"), width: "110px", isMinor: true },
      sortBy: ({ last_used_at }) => last_used_at ?? "",
      cell: ({ last_used_at }) => <Ago at={last_used_at} none={t("never")} />,
    },
    {
      ...{ key: "expires", title: t("expires"), width: "110px", isMinor: true },
      sortBy: ({ expires_at }) => expires_at ?? "9",
      cell: ({ expires_at }) => <Ago at={expires_at} none={t("never")} />,
    },
  ];
}

/** The text of a key that was made just now: the one time that it is shown. */
function MadeKey({ made, onClose }: { made: MadeKeyAnswer | undefined; onClose(): void }) {
  const t = useTexts(keysTexts);
  return (
    <Window title={t("made")} isOpen={made !== undefined} onClose={onClose}>
      <p className="note is-warn">{t("made_text")}</p>
      {made !== undefined && <CopyText text={made.key} />}
      <div className="row is-end">
        <Button kind="primary" onClick={onClose}>
          {t("done")}
        </Button>
      </div>
    </Window>
  );
}

interface QuestionProps {
  asked: Asked | undefined;
  onClose(): void;
  onMade(made: MadeKeyAnswer): void;
}

/** Asks before programs that use a key stop working. */
function Question({ asked, onClose, onMade }: QuestionProps) {
  const t = useTexts(keysTexts);
  if (asked === undefined) return null;
  const { action, key } = asked;
  const { id, name } = key;
  const run = async () => {
    if (action === "rotate") return onMade(await rotateKey(id));
    if (action === "revoke") {
      await revokeKey(id);
      return sayDone(t("revoked", { name }));
    }
    await removeKey(id);
    return sayDone(t("deleted", { name }));
  };
  return (
    <Confirm
      {...{ isOpen: true, onClose, run, action: t(action), failure: t(`${action}_failed`) }}
      {...{ title: t(`${action}_title`, { name }), text: t(`${action}_text`, { name }) }}
    />
  );
}

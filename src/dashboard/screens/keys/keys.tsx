import { useMemo, useState } from "react";
import type { KeyView, MadeKeyAnswer } from "../../../wire/account.ts";
import { useMay, useMe } from "../../api/account.ts";
import { Badge, type Tone } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { Filters } from "../../parts/filters.tsx";
import { useLimitsText } from "../../parts/limits/limits.tsx";
import { Page, Panel } from "../../parts/page.tsx";
import { SecretWindow } from "../../parts/secret.tsx";
import { Empty, Loaded } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { actionsOf, type KeyAction, KeyQuestion } from "./actions.tsx";
import { useKeys } from "./calls.ts";
import { KeyForm } from "./form.tsx";
import { KeyWindow } from "./key.tsx";
import { keysTexts } from "./texts.ts";

const DEFAULTS = { search: "", sort: "name", open: "" };
const TONES: Record<KeyView["status"], Tone> = { active: "ok", expired: "quiet", revoked: "bad" };

/** The API keys: the reader's own, or all. */
export function Keys() {
  const t = useTexts(keysTexts);
  const me = useMe();
  const may = useMay();
  const query = useKeys();
  const [state, change] = useUrlState(DEFAULTS);
  const [made, setMade] = useState<MadeKeyAnswer>();
  const [asked, setAsked] = useState<KeyAction>();
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
      <KeyWindow
        {...{ id: state.open, keys: query.data?.keys ?? [], canChange: canMake }}
        {...{ onClose: () => change({ open: "" }), onAsk: setAsked }}
      />
      <SecretWindow
        {...{ title: t("made"), text: t("made_text"), secret: made?.key }}
        onClose={() => setMade(undefined)}
      />
      <KeyQuestion asked={asked} onClose={() => setAsked(undefined)} onMade={setMade} />
    </Page>
  );
}

interface ListProps {
  keys: readonly KeyView[];
  state: typeof DEFAULTS;
  change(changes: Partial<typeof DEFAULTS>): void;
  setAsked(asked: KeyAction): void;
  canMake: boolean;
}

function List({ keys, state, change, setAsked, canMake }: ListProps) {
  const t = useTexts(keysTexts);
  const limitsText = useLimitsText();
  const open = ({ id }: KeyView) => change({ open: id });
  // biome-ignore lint/correctness/useExhaustiveDependencies: `open` is what `change` is
  const columns = useMemo(() => {
    const all = columnsOf(t, { limitsText, onOpen: open });
    const actions: Column<KeyView> = {
      ...{ key: "actions", title: "", width: "186px", align: "end", isMinor: true },
      cell: (key) => (
        <span className="row is-end">
          {actionsOf(key).map((action) => (
            <button
              key={action}
              type="button"
              className="link"
              onClick={() => setAsked({ action, key })}
            >
              {t(action)}
            </button>
          ))}
        </span>
      ),
    };
    return canMake ? [...all, actions] : all;
  }, [t, limitsText, canMake, setAsked, change]);
  const part = state.search.toLowerCase();
  const rows = keys.filter(({ name, user }) =>
    [name, user.name].some((text) => text.toLowerCase().includes(part)),
  );
  const isNone = keys.length === 0;
  return (
    <Table
      {...{ label: t("list"), columns, rows, idOf: ({ id }: KeyView) => id }}
      {...{ sort: state.sort, onSort: (sort) => change({ sort }), onOpen: open }}
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

function columnsOf(
  t: Translate<keyof typeof keysTexts.en>,
  {
    limitsText,
    onOpen,
  }: { limitsText: ReturnType<typeof useLimitsText>; onOpen(key: KeyView): void },
): Column<KeyView>[] {
  return [
    {
      ...{ key: "name", title: t("name"), width: "minmax(90px, 1.2fr)" },
      sortBy: ({ name }) => name,
      cell: (key) => (
        <button type="button" className="link" title={key.name} onClick={() => onOpen(key)}>
          {key.name}
        </button>
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
      ...{ key: "limits", title: t("limits"), width: "minmax(0, 2.4fr)", isMinor: true },
      cell: ({ limits }) => <span title={limitsText(limits)}>{limitsText(limits)}</span>,
    },
    {
      ...{ key: "used", title: t("used"), width: "92px", isMinor: true },
      sortBy: ({ last_used_at }) => last_used_at ?? "",
      cell: ({ last_used_at }) => <Ago at={last_used_at} none={t("never")} />,
    },
    {
      ...{ key: "expires", title: t("expires"), width: "92px", isMinor: true },
      sortBy: ({ expires_at }) => expires_at ?? "9",
      cell: ({ expires_at }) => <Ago at={expires_at} none={t("never")} />,
    },
  ];
}

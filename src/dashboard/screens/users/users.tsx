import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { MadeUserAnswer, UserView } from "../../../wire/account.ts";
import { ROLES } from "../../../wire/permission.ts";
import { AccessOff } from "../../parts/accessoff.tsx";
import { Badge } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { FilterChoice, Filters } from "../../parts/filters.tsx";
import { useLimitsText } from "../../parts/limits/limits.tsx";
import { Page, Panel } from "../../parts/page.tsx";
import { RoleName } from "../../parts/role/role.tsx";
import { roleTexts } from "../../parts/role/texts.ts";
import { Empty, Loaded } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { useFormat } from "../../text/format.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { useUsers } from "./calls.ts";
import { UserForm } from "./form.tsx";
import { MadePassword } from "./password.tsx";
import { usersTexts } from "./texts.ts";

const DEFAULTS = { search: "", role: "", state: "", sort: "name", open: "" };
const STATES = ["active", "must_change", "disabled"] as const;

type State = typeof DEFAULTS;
type T = Translate<keyof typeof usersTexts.en>;

/** Everybody who may log in. */
export function Users() {
  const t = useTexts(usersTexts);
  const roleText = useTexts(roleTexts);
  const query = useUsers();
  const [state, change] = useUrlState(DEFAULTS);
  const [made, setMade] = useState<MadeUserAnswer>();
  const add = (
    <Button kind="primary" icon="plus" onClick={() => change({ open: "add" })}>
      {t("add")}
    </Button>
  );
  return (
    <Page title={useTitle("users")} actions={add}>
      <AccessOff text={t("access_off")} />
      <Filters label={t("search")} text={state.search} onText={(search) => change({ search })}>
        <FilterChoice
          {...{ label: t("role"), value: state.role }}
          options={[["", t("role_any")], ...ROLES.map((role) => [role, roleText(role)] as const)]}
          onChange={(role) => change({ role })}
        />
        <FilterChoice
          {...{ label: t("state"), value: state.state }}
          options={[
            ["", t("state_any")],
            ...STATES.map((one) => [one, t(`state_${one}`)] as const),
          ]}
          onChange={(one) => change({ state: one })}
        />
      </Filters>
      <Panel>
        <Loaded query={query}>{({ users }) => <List {...{ users, state, change }} />}</Loaded>
      </Panel>
      <UserForm
        {...{ isOpen: state.open === "add", onClose: () => change({ open: "" }) }}
        onSaved={setMade}
      />
      <MadePassword made={made} onClose={() => setMade(undefined)} />
    </Page>
  );
}

interface ListProps {
  users: readonly UserView[];
  state: State;
  change(changes: Partial<State>): void;
}

function List({ users, state, change }: ListProps) {
  const t = useTexts(usersTexts);
  const columns = useColumns(t);
  const navigate = useNavigate();
  const part = state.search.toLowerCase();
  const rows = users.filter(
    (user) =>
      user.username.toLowerCase().includes(part) &&
      (state.role === "" || user.role === state.role) &&
      (state.state === "" || stateOf(user) === state.state),
  );
  return (
    <Table
      {...{ label: t("list"), columns, rows, idOf: ({ id }: UserView) => id }}
      {...{ sort: state.sort, onSort: (sort) => change({ sort }) }}
      onOpen={({ id }) => void navigate({ to: "/users/$id", params: { id } as never })}
      empty={
        users.length === 0 ? (
          <Empty title={t("empty")} text={t("empty_text")} />
        ) : (
          <Empty title={t("no_match")} />
        )
      }
    />
  );
}

function useColumns(t: T): readonly Column<UserView>[] {
  const { count } = useFormat();
  const limitsText = useLimitsText();
  return useMemo<Column<UserView>[]>(
    () => [
      {
        ...{ key: "name", title: t("name"), width: "minmax(90px, 1.4fr)" },
        sortBy: ({ username }) => username,
        cell: ({ id, username }) => (
          <Link to="/users/$id" params={{ id } as never} className="name-cell" title={username}>
            {username}
          </Link>
        ),
      },
      {
        ...{ key: "role", title: t("role"), width: "80px" },
        sortBy: ({ role }) => role,
        cell: ({ role }) => <RoleName role={role} />,
      },
      {
        ...{ key: "state", title: t("state"), width: "minmax(84px, 150px)" },
        sortBy: (user) => STATES.indexOf(stateOf(user)),
        cell: (user) => <StateBadge user={user} />,
      },
      {
        ...{ key: "keys", title: t("keys"), width: "64px", align: "end", isMinor: true },
        sortBy: ({ keys }) => keys,
        cell: ({ keys }) => count(keys),
      },
      {
        ...{ key: "limits", title: t("limits"), isMinor: true },
        cell: ({ limits }) => <span title={limitsText(limits)}>{limitsText(limits)}</span>,
      },
      {
        ...{ key: "login", title: t("last_login"), width: "130px", isMinor: true },
        sortBy: ({ last_login_at }) => last_login_at ?? "",
        cell: ({ last_login_at }) => <Ago at={last_login_at} none={t("never")} />,
      },
      {
        ...{ key: "created", title: t("created"), width: "130px", isMinor: true },
        sortBy: ({ created_at }) => created_at,
        cell: ({ created_at }) => <Ago at={created_at} none={t("never")} />,
      },
    ],
    [t, count, limitsText],
  );
}

function stateOf({ disabled, must_change_password }: UserView): (typeof STATES)[number] {
  if (disabled) return "disabled";
  return must_change_password ? "must_change" : "active";
}

/** Whether somebody is let in, in a word. */
export function StateBadge({ user }: { user: UserView }) {
  const t = useTexts(usersTexts);
  const state = stateOf(user);
  const tone = { active: "ok", must_change: "warn", disabled: "bad" } as const;
  return <Badge tone={tone[state]}>{t(`state_${state}`)}</Badge>;
}

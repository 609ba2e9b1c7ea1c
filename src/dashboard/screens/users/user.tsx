import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import type { MadeUserAnswer, UserView } from "../../../wire/account.ts";
import { logOut, useMe, userIdOf } from "../../api/account.ts";
import { Button } from "../../parts/button.tsx";
import { Confirm } from "../../parts/dialog.tsx";
import { useLimitsText } from "../../parts/limits/limits.tsx";
import { Facts, Page, Panel } from "../../parts/page.tsx";
import { RoleName } from "../../parts/role/role.tsx";
import { Loaded } from "../../parts/states.tsx";
import { Ago } from "../../parts/time.tsx";
import { sayDone } from "../../parts/toast.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { useSessions } from "../sessions/calls.ts";
import { SessionTable } from "../sessions/list.tsx";
import { changeUser, removeUser, useUser } from "./calls.ts";
import { UserForm } from "./form.tsx";
import { MadePassword } from "./password.tsx";
import { usersTexts } from "./texts.ts";
import { StateBadge } from "./users.tsx";

/** `open`: the window that is open: `edit`, or the question before an action. */
const DEFAULTS = { open: "" };
const ACTIONS = ["password", "disable", "enable", "delete"] as const;

type Action = (typeof ACTIONS)[number];

/** One user: what he may, where he is logged in, and what can be done with his account. */
export function UserScreen() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const query = useUser(id);
  return <Loaded query={query}>{(user) => <User user={user} />}</Loaded>;
}

function User({ user }: { user: UserView }) {
  const t = useTexts(usersTexts);
  const [{ open }, change] = useUrlState(DEFAULTS);
  const [made, setMade] = useState<MadeUserAnswer>();
  const sessions = useSessions(user.id);
  const close = () => change({ open: "" });
  const offered: Action[] = ["password", user.disabled ? "enable" : "disable", "delete"];
  const actions = (
    <>
      <Button icon="pencil" onClick={() => change({ open: "edit" })}>
        {t("edit")}
      </Button>
      {offered.map((action) => (
        <Button
          key={action}
          kind={action === "delete" ? "danger" : "plain"}
          onClick={() => change({ open: action })}
        >
          {t(action)}
        </Button>
      ))}
    </>
  );
  return (
    <Page title={user.username} actions={actions}>
      <Panel>
        <UserFacts user={user} />
      </Panel>
      <Panel title={t("sessions")}>
        <Loaded query={sessions}>
          {(list) => <SessionTable sessions={list.sessions} empty={t("sessions_none")} />}
        </Loaded>
      </Panel>
      <UserForm {...{ isOpen: open === "edit", onClose: close, onSaved: setMade, user }} />
      {ACTIONS.map((action) => (
        <Question
          key={action}
          {...{ action, user, isOpen: open === action, onClose: close, onMade: setMade }}
          sessions={sessions.data?.sessions.length ?? 0}
        />
      ))}
      <MadePassword made={made} onClose={() => setMade(undefined)} />
    </Page>
  );
}

function UserFacts({ user }: { user: UserView }) {
  const t = useTexts(usersTexts);
  const { count, time } = useFormat();
  const limitsText = useLimitsText();
  const { username, role, keys, limits } = user;
  const search = { search: username } as never;
  return (
    <Facts
      facts={[
        [t("state"), <StateBadge key="state" user={user} />],
        [t("role"), <RoleName key="role" role={role} />],
        [t("limits"), limitsText(limits)],
        [
          t("keys"),
          <Link key="keys" to="/keys" search={search}>
            {count(keys)}
          </Link>,
        ],
        [
          t("used"),
          <Link key="used" to="/usage" search={{ user: username, group: "model" } as never}>
            {t("used_link")}
          </Link>,
        ],
        [t("last_login"), <Ago key="login" at={user.last_login_at} none={t("never")} />],
        [t("created"), time(user.created_at)],
      ]}
    />
  );
}

interface QuestionProps {
  action: Action;
  user: UserView;
  /** How many log-ins would end. */
  sessions: number;
  isOpen: boolean;
  onClose(): void;
  onMade(made: MadeUserAnswer): void;
}

/** Says what an action takes away, and does it. */
function Question({ action, user, sessions, isOpen, onClose, onMade }: QuestionProps) {
  const t = useTexts(usersTexts);
  const me = useMe();
  const navigate = useNavigate();
  const { id, username: name, keys } = user;
  const isSelf = me.data !== undefined && userIdOf(me.data) === id;
  const run = async () => {
    switch (action) {
      case "password":
        return onMade(await changeUser(id, { password: null }));
      case "disable":
      case "enable":
        await changeUser(id, { disabled: action === "disable" });
        return sayDone(t(`${action}d`, { name }));
      case "delete":
        await removeUser(id, () => (isSelf ? logOut() : navigate({ to: "/users" })));
        return sayDone(t("deleted", { name }));
    }
  };
  const own = isSelf && action !== "enable" ? ` ${t("own_account")}` : "";
  const what = {
    name,
    keys: t("n_keys", { count: keys }),
    logins: t("n_logins", { count: sessions }),
  };
  return (
    <Confirm
      {...{ isOpen, onClose, run, action: t(action), failure: t(`${action}_failed`) }}
      {...{ title: t(`${action}_title`, { name }), text: t(`${action}_text`, what) + own }}
    />
  );
}

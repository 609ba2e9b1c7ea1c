import type { SessionView } from "../../../wire/login.ts";
import { useMay, useMe } from "../../api/account.ts";
import { AccessOff } from "../../parts/accessoff.tsx";
import { Button } from "../../parts/button.tsx";
import { Confirm } from "../../parts/dialog.tsx";
import { FilterChoice, Filters } from "../../parts/filters.tsx";
import { Page, Panel } from "../../parts/page.tsx";
import { Loaded } from "../../parts/states.tsx";
import { sayDone } from "../../parts/toast.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { endSessions, useSessions } from "./calls.ts";
import { placeOf, SessionTable } from "./list.tsx";
import { PasswordWindow } from "./password.tsx";
import { sessionsTexts } from "./texts.ts";

type T = Translate<keyof typeof sessionsTexts.en>;

/** `whose`: "" the reader's own, `*` everybody's. `open`: the window that is open. */
const DEFAULTS = { search: "", whose: "", sort: "-used", open: "" };

/** Where the reader is logged in, and others for those who manage users. */
export function Sessions() {
  const t = useTexts(sessionsTexts);
  const me = useMe();
  const may = useMay();
  const [state, change] = useUrlState(DEFAULTS);
  const mayAll = may("users.manage");
  const isOfAll = mayAll && state.whose === "*";
  const query = useSessions(isOfAll ? "*" : "");
  const close = () => change({ open: "" });
  const hasPassword = me.data?.access === "required" && me.data.kind === "session";
  const others = isOfAll ? [] : (query.data?.sessions ?? []).filter(({ current }) => !current);
  const actions = (
    <>
      {others.length > 0 && hasPassword && (
        <Button onClick={() => change({ open: "end" })}>{t("end_others")}</Button>
      )}
      {hasPassword && <Button onClick={() => change({ open: "password" })}>{t("password")}</Button>}
    </>
  );
  return (
    <Page title={useTitle("sessions")} actions={actions}>
      <AccessOff text={t("access_off")} />
      <Filters label={t("search")} text={state.search} onText={(search) => change({ search })}>
        {mayAll && (
          <FilterChoice
            {...{ label: t("whose"), value: state.whose }}
            options={[
              ["", t("whose_own")],
              ["*", t("whose_all")],
            ]}
            onChange={(whose) => change({ whose })}
          />
        )}
      </Filters>
      <Panel>
        <Loaded query={query}>
          {({ sessions }) => (
            <SessionTable
              {...{ sessions: found(sessions, state.search, t), isOfAll, sort: state.sort }}
              onSort={(sort) => change({ sort })}
              {...(sessions.length > 0 && { empty: t("no_match") })}
            />
          )}
        </Loaded>
      </Panel>
      <PasswordWindow isOpen={state.open === "password"} onClose={close} />
      <EndOthers isOpen={state.open === "end"} sessions={others} onClose={close} />
    </Page>
  );
}

/** The log-ins of which something has this text. */
function found(sessions: readonly SessionView[], search: string, t: T): readonly SessionView[] {
  const part = search.toLowerCase();
  const textsOf = (one: SessionView) => [one.user.name, one.address ?? "", placeOf(one, t)];
  return sessions.filter((one) => textsOf(one).some((text) => text.toLowerCase().includes(part)));
}

interface EndOthersProps {
  isOpen: boolean;
  sessions: readonly SessionView[];
  onClose(): void;
}

/** Asks before all log-ins but this one are ended. */
function EndOthers({ isOpen, sessions, onClose }: EndOthersProps) {
  const t = useTexts(sessionsTexts);
  const run = async () => {
    await endSessions(sessions.map(({ id }) => id));
    sayDone(t("ended_others", { count: sessions.length }));
  };
  return (
    <Confirm
      {...{ isOpen, onClose, run }}
      {...{ title: t("end_others_title"), failure: t("end_failed"), action: t("end_others") }}
      text={t("end_others_text", { count: sessions.length })}
    />
  );
}

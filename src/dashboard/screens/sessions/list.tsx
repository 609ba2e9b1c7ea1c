import { useMemo, useState } from "react";
import type { SessionView } from "../../../wire/login.ts";
import { logOut } from "../../api/account.ts";
import { Badge } from "../../parts/badge.tsx";
import { Confirm } from "../../parts/dialog.tsx";
import { Empty } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { sayDone } from "../../parts/toast.tsx";
import { NOTHING } from "../../text/format.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { endSessions } from "./calls.ts";
import { programOf } from "./program.ts";
import { sessionsTexts } from "./texts.ts";

type T = Translate<keyof typeof sessionsTexts.en>;

interface SessionTableProps {
  sessions: readonly SessionView[];
  /** Whether they are of several users, so that a column says whose each is. */
  isOfAll?: boolean;
  sort?: string;
  onSort?(sort: string): void;
  /** Stands there if there are none. Default: that nobody is logged in. */
  empty?: string;
}

/** Log-ins, each with a button that ends it after a question. */
export function SessionTable(props: SessionTableProps) {
  const { sessions, isOfAll = false, empty, ...sorting } = props;
  const t = useTexts(sessionsTexts);
  const [asked, setAsked] = useState<SessionView>();
  const columns = useMemo(() => columnsOf(t, isOfAll, setAsked), [t, isOfAll]);
  return (
    <>
      <Table
        {...{ label: t("list"), columns, rows: sessions, idOf: ({ id }: SessionView) => id }}
        {...sorting}
        empty={<Empty title={empty ?? t("empty")} />}
      />
      {asked !== undefined && <EndOne session={asked} onClose={() => setAsked(undefined)} />}
    </>
  );
}

/** Asks before a log-in is ended. */
function EndOne({ session, onClose }: { session: SessionView; onClose(): void }) {
  const t = useTexts(sessionsTexts);
  const { id, user, current, address } = session;
  const name = placeOf(session, t);
  const run = async () => {
    if (current) return logOut();
    await endSessions([id]);
    return sayDone(t("ended", { name }));
  };
  const text = current ? t("end_own_text") : t("end_text", { user: user.name });
  return (
    <Confirm
      {...{ isOpen: true, onClose, run, action: t("end"), failure: t("end_failed"), text }}
      title={t("end_title", { name: address === null ? name : `${name} (${address})` })}
    />
  );
}

/** Where somebody has logged in, in words: Firefox on Linux. */
export function placeOf({ user_agent }: SessionView, t: T): string {
  const { program, system } = programOf(user_agent ?? "");
  if (program === "") return t("place_unknown");
  return system === undefined ? program : t("place", { program, system });
}

function columnsOf(t: T, isOfAll: boolean, onEnd: (session: SessionView) => void) {
  const columns: Column<SessionView>[] = [
    {
      ...{ key: "place", title: t("place_title"), width: "minmax(90px, 1.4fr)" },
      sortBy: (session) => placeOf(session, t),
      cell: (session) => (
        <span title={session.user_agent ?? ""}>
          {placeOf(session, t)} {session.current && <Badge tone="accent">{t("current")}</Badge>}
        </span>
      ),
    },
    {
      ...{ key: "user", title: t("user"), width: "minmax(50px, 1fr)" },
      sortBy: ({ user }) => user.name,
      cell: ({ user }) => <span title={user.name}>{user.name}</span>,
    },
    {
      ...{ key: "address", title: t("address"), isMinor: true },
      sortBy: ({ address }) => address ?? "",
      cell: ({ address }) => <span className="mono">{address ?? NOTHING}</span>,
    },
    {
      ...{ key: "began", title: t("began"), width: "130px", isMinor: true },
      sortBy: ({ created_at }) => created_at,
      cell: ({ created_at }) => <Ago at={created_at} none={NOTHING} />,
    },
    {
      ...{ key: "used", title: t("used"), width: "minmax(72px, 0.9fr)" },
      sortBy: ({ last_seen_at }) => last_seen_at,
      cell: ({ last_seen_at }) => <Ago at={last_seen_at} none={NOTHING} />,
    },
    {
      ...{ key: "ends", title: t("ends"), width: "130px", isMinor: true },
      sortBy: ({ expires_at }) => expires_at,
      cell: ({ expires_at }) => <Ago at={expires_at} none={NOTHING} />,
    },
    {
      ...{ key: "actions", title: "", width: "48px", align: "end" },
      cell: (session) => (
        <button type="button" className="link" onClick={() => onEnd(session)}>
          {t("end")}
        </button>
      ),
    },
  ];
  return columns.filter(({ key }) => isOfAll || key !== "user");
}

import { useMemo, useState } from "react";
import type { InvitationView, MadeInvitationAnswer } from "../../../wire/invitation.ts";
import { invitationLink } from "../../app/invitationlink.ts";
import { AccessOff } from "../../parts/accessoff.tsx";
import { Badge, type Tone } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { Confirm } from "../../parts/dialog.tsx";
import { FilterChoice, Filters } from "../../parts/filters.tsx";
import { Page, Panel } from "../../parts/page.tsx";
import { RoleName } from "../../parts/role/role.tsx";
import { SecretWindow } from "../../parts/secret.tsx";
import { Empty, Loaded } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { sayDone } from "../../parts/toast.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { NOTHING, useFormat } from "../../text/format.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { revokeInvitation, useInvitations } from "./calls.ts";
import { InvitationForm } from "./form.tsx";
import { invitationsTexts } from "./texts.ts";

type Status = InvitationView["status"];

const DEFAULTS = { search: "", status: "", sort: "-created", open: "" };
const TONES: Record<Status, Tone> = {
  active: "ok",
  used: "accent",
  expired: "quiet",
  revoked: "bad",
};
const STATUSES = Object.keys(TONES) as Status[];

/** Who is invited to make an account. */
export function Invitations() {
  const t = useTexts(invitationsTexts);
  const query = useInvitations();
  const [state, change] = useUrlState(DEFAULTS);
  const [made, setMade] = useState<MadeInvitationAnswer>();
  const [asked, setAsked] = useState<InvitationView>();
  const add = (
    <Button kind="primary" icon="plus" onClick={() => change({ open: "add" })}>
      {t("add")}
    </Button>
  );
  return (
    <Page title={useTitle("invitations")} actions={add}>
      <AccessOff text={t("access_off")} />
      <Filters label={t("search")} text={state.search} onText={(search) => change({ search })}>
        <FilterChoice
          {...{ label: t("status"), value: state.status }}
          options={[
            ["", t("status_any")],
            ...STATUSES.map((status) => [status, t(`status_${status}`)] as const),
          ]}
          onChange={(status) => change({ status })}
        />
      </Filters>
      <Panel>
        <Loaded query={query}>
          {({ invitations }) => <List {...{ invitations, state, change, onRevoke: setAsked }} />}
        </Loaded>
      </Panel>
      <InvitationForm
        {...{ isOpen: state.open === "add", onClose: () => change({ open: "" }) }}
        onMade={setMade}
      />
      <MadeInvitation made={made} onClose={() => setMade(undefined)} />
      {asked !== undefined && <Revoke invitation={asked} onClose={() => setAsked(undefined)} />}
    </Page>
  );
}

interface ListProps {
  invitations: readonly InvitationView[];
  state: typeof DEFAULTS;
  change(changes: Partial<typeof DEFAULTS>): void;
  onRevoke(invitation: InvitationView): void;
}

function List({ invitations, state, change, onRevoke }: ListProps) {
  const t = useTexts(invitationsTexts);
  const columns = useMemo(() => columnsOf(t, onRevoke), [t, onRevoke]);
  const part = state.search.toLowerCase();
  const rows = invitations.filter(
    ({ note, created_by, used_by, status }) =>
      (state.status === "" || state.status === status) &&
      [note, created_by, used_by].some((text) => (text ?? "").toLowerCase().includes(part)),
  );
  return (
    <Table
      {...{ label: t("list"), columns, rows, idOf: ({ id }: InvitationView) => id }}
      {...{ sort: state.sort, onSort: (sort) => change({ sort }) }}
      empty={
        invitations.length === 0 ? (
          <Empty title={t("empty")} text={t("empty_text")} />
        ) : (
          <Empty title={t("no_match")} />
        )
      }
    />
  );
}

function columnsOf(
  t: Translate<keyof typeof invitationsTexts.en>,
  onRevoke: (invitation: InvitationView) => void,
): readonly Column<InvitationView>[] {
  return [
    {
      ...{ key: "note", title: t("note"), width: "minmax(90px, 1.6fr)" },
      sortBy: ({ note }) => note ?? "",
      cell: ({ note }) => <span title={note ?? ""}>{note ?? NOTHING}</span>,
    },
    {
      ...{ key: "role", title: t("role"), width: "80px", isMinor: true },
      sortBy: ({ role }) => role,
      cell: ({ role }) => <RoleName role={role} />,
    },
    {
      ...{ key: "status", title: t("status"), width: "92px" },
      sortBy: ({ status }) => STATUSES.indexOf(status),
      cell: ({ status }) => <Badge tone={TONES[status]}>{t(`status_${status}`)}</Badge>,
    },
    {
      ...{ key: "by", title: t("created_by"), isMinor: true },
      sortBy: ({ created_by }) => created_by ?? "",
      cell: ({ created_by }) => created_by ?? NOTHING,
    },
    {
      ...{ key: "created", title: t("created"), width: "130px", isMinor: true },
      sortBy: ({ created_at }) => created_at,
      cell: ({ created_at }) => <Ago at={created_at} none={NOTHING} />,
    },
    {
      ...{ key: "ends", title: t("ends"), width: "minmax(72px, 0.9fr)" },
      sortBy: ({ expires_at }) => expires_at,
      cell: ({ expires_at }) => <Ago at={expires_at} none={NOTHING} />,
    },
    {
      ...{ key: "used", title: t("used_by"), isMinor: true },
      sortBy: ({ used_by }) => used_by ?? "",
      cell: ({ used_by }) => used_by ?? NOTHING,
    },
    {
      ...{ key: "actions", title: "", width: "64px", align: "end" },
      cell: (invitation) =>
        invitation.status === "active" && (
          <button type="button" className="link" onClick={() => onRevoke(invitation)}>
            {t("revoke")}
          </button>
        ),
    },
  ];
}

/** The link of a new invitation: the one time that it is shown. */
function MadeInvitation(props: { made: MadeInvitationAnswer | undefined; onClose(): void }) {
  const { made, onClose } = props;
  const t = useTexts(invitationsTexts);
  const { time } = useFormat();
  return (
    <SecretWindow
      {...{ title: t("made"), onClose, secret: made && invitationLink(made.code) }}
      text={made === undefined ? "" : t("made_text", { time: time(made.expires_at) })}
    />
  );
}

/** Asks before an invitation becomes useless. */
function Revoke({ invitation, onClose }: { invitation: InvitationView; onClose(): void }) {
  const t = useTexts(invitationsTexts);
  const run = async () => {
    await revokeInvitation(invitation.id);
    sayDone(t("revoked"));
  };
  return (
    <Confirm
      {...{ isOpen: true, onClose, run, action: t("revoke"), failure: t("revoke_failed") }}
      {...{
        title: t("revoke_title"),
        text: t("revoke_text", { note: invitation.note ?? NOTHING }),
      }}
    />
  );
}

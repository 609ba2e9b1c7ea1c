import type { Accounts } from "../../../auth/accounts.ts";
import { invitationStatus, newInvitationCode } from "../../../auth/registration.ts";
import type { InvitationRow, Invitations } from "../../../db/state/invitations.ts";
import type { App } from "../../../http/server/app.ts";
import { readJson } from "../../../http/server/body.ts";
import { principalOf } from "../../../http/server/scope.ts";
import { isoTime, isoTimeOrNull } from "../../../lib/isotime.ts";
import { ApiError } from "../../../wire/error.ts";
import {
  type InvitationList,
  type InvitationView,
  type MadeInvitationAnswer,
  NewInvitationBody,
} from "../../../wire/invitation.ts";
import { requireAsMuch } from "./asmuch.ts";

const BODY_BYTES_MAX = 64 * 1024;
const HOUR_MS = 3_600_000;

export interface InvitationRouteParts {
  accounts: Accounts;
  invitations: Invitations;
}

/** Invitations, under `/api/invitations` and the older `/v0/invitations`. */
export function routeInvitations(app: App, parts: InvitationRouteParts): void {
  const { accounts, invitations } = parts;
  for (const base of ["/api/invitations", "/v0/invitations"]) {
    app.get(base, async (c) => {
      const all = await invitations.list();
      return c.json<InvitationList>({ invitations: all.map((one) => viewOf(one, accounts)) });
    });

    app.post(base, async (c) => {
      const { value } = await readJson(c, NewInvitationBody, BODY_BYTES_MAX);
      const { role, note, expires_in_hours: hours } = value;
      requireAsMuch(c, role);
      const { code, codeHash } = newInvitationCode();
      const createdBy = principalOf(c).user?.id ?? null;
      const expiresAt = Date.now() + Math.ceil(hours * HOUR_MS);
      const row = await invitations.create({ role, note, createdBy, expiresAt, codeHash });
      return c.json<MadeInvitationAnswer>({ ...viewOf(row, accounts), code }, 201);
    });

    app.delete(`${base}/:id`, async (c) => {
      const { id } = c.req.param();
      if ((await invitations.revoke(id)) !== undefined) return c.body(null, 204);
      const message = `There is no invitation ${id}.`;
      throw new ApiError("not_found", message, { code: "invitation_not_found" });
    });
  }
}

function viewOf(invitation: InvitationRow, accounts: Accounts): InvitationView {
  const { id, role, note, createdBy, usedBy, createdAt, expiresAt } = invitation;
  const nameOf = (userId: string | null) =>
    userId === null ? null : (accounts.user(userId)?.name ?? null);
  return {
    ...{ id, role, note, status: invitationStatus(invitation) },
    ...{ created_by: nameOf(createdBy), used_by: nameOf(usedBy) },
    created_at: isoTime(createdAt),
    expires_at: isoTime(expiresAt),
    used_at: isoTimeOrNull(invitation.usedAt),
    revoked_at: isoTimeOrNull(invitation.revokedAt),
  };
}

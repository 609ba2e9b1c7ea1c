import { useQuery } from "@tanstack/react-query";
import { InvitationList, MadeInvitationAnswer } from "../../../wire/invitation.ts";
import { call, send } from "../../api/call.ts";
import { queries } from "../../api/queries.ts";

const KEY = ["invitations"];

/** All invitations, also those that ended lately. */
export function useInvitations() {
  return useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => call(InvitationList, "GET /api/invitations", { signal }),
  });
}

/** Invites somebody; the code is in the answer, this once. */
export async function makeInvitation(body: object): Promise<MadeInvitationAnswer> {
  return reloaded(await call(MadeInvitationAnswer, "POST /api/invitations", { body }));
}

/** Makes an invitation useless. */
export async function revokeInvitation(id: string): Promise<void> {
  await send(`DELETE /api/invitations/${encodeURIComponent(id)}`);
  await reloaded(undefined);
}

async function reloaded<T>(answer: T): Promise<T> {
  await queries.invalidateQueries({ queryKey: KEY });
  return answer;
}

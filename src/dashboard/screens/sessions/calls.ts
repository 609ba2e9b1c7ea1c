import { useQuery } from "@tanstack/react-query";
import { LoginAnswer, SessionList } from "../../../wire/login.ts";
import { call, send } from "../../api/call.ts";
import { queries } from "../../api/queries.ts";

const KEY = ["sessions"];

/** The log-ins of a user, by name or id, of everybody (`*`), or the reader's own (""). */
export function useSessions(user: string) {
  const query = user === "" ? "" : `?user=${encodeURIComponent(user)}`;
  return useQuery({
    queryKey: [...KEY, user],
    queryFn: ({ signal }) => call(SessionList, `GET /api/auth/sessions${query}`, { signal }),
  });
}

/** Ends log-ins, all that can be; throws what went wrong with one. */
export async function endSessions(ids: readonly string[]): Promise<void> {
  try {
    for (const id of ids) await send(`DELETE /api/auth/sessions/${encodeURIComponent(id)}`);
  } finally {
    await queries.invalidateQueries({ queryKey: KEY });
  }
}

/** Gives the reader another password; all of his other log-ins end. */
export async function changePassword(current: string, next: string): Promise<void> {
  const body = { current_password: current, new_password: next };
  await call(LoginAnswer, "PUT /api/auth/password", { body });
  await queries.invalidateQueries({ queryKey: KEY });
}

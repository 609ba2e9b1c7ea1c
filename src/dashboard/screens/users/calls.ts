import { useQuery } from "@tanstack/react-query";
import { MadeUserAnswer, UserList, UserView } from "../../../wire/account.ts";
import { call, send } from "../../api/call.ts";
import { queries } from "../../api/queries.ts";

const KEY = ["users"];

/** All users. */
export function useUsers() {
  return useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => call(UserList, "GET /api/users", { signal }),
  });
}

/** One user. */
export function useUser(id: string) {
  return useQuery({
    queryKey: [...KEY, id],
    queryFn: ({ signal }) => call(UserView, `GET ${pathOf(id)}`, { signal }),
  });
}

/** Adds a user; a password that was made up is in the answer, this once. */
export async function addUser(body: object): Promise<MadeUserAnswer> {
  return reloaded(await call(MadeUserAnswer, "POST /api/users", { body }));
}

/** Changes what is in the body; `password: null` makes one up. */
export async function changeUser(id: string, body: object): Promise<MadeUserAnswer> {
  return reloaded(await call(MadeUserAnswer, `PATCH ${pathOf(id)}`, { body }));
}

/** Removes a user with his keys and log-ins; `leave` goes away from what shows him. */
export async function removeUser(id: string, leave: () => Promise<void>): Promise<void> {
  await send(`DELETE ${pathOf(id)}`);
  await leave();
  queries.removeQueries({ queryKey: [...KEY, id] });
  await reloaded(undefined);
}

function pathOf(id: string): string {
  return `/api/users/${encodeURIComponent(id)}`;
}

/** His keys and log-ins may have changed with him. */
async function reloaded<T>(answer: T): Promise<T> {
  const keys = [KEY, ["keys"], ["sessions"]];
  await Promise.all(keys.map((queryKey) => queries.invalidateQueries({ queryKey })));
  return answer;
}

import { useQuery } from "@tanstack/react-query";
import { KeyList, KeyView, MadeKeyAnswer } from "../../../wire/account.ts";
import { call, send } from "../../api/call.ts";
import { queries } from "../../api/queries.ts";

const KEY = ["keys"];

/** The keys that the reader may see. */
export function useKeys() {
  return useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => call(KeyList, "GET /api/keys", { signal }),
  });
}

/** Makes a key; its text is in the answer, this once. */
export async function makeKey(body: object): Promise<MadeKeyAnswer> {
  return reloaded(await call(MadeKeyAnswer, "POST /api/keys", { body }));
}

/** Gives a key another text. */
export async function rotateKey(id: string): Promise<MadeKeyAnswer> {
  return reloaded(await call(MadeKeyAnswer, `POST ${pathOf(id)}/rotate`));
}

/** Ends a key, which stays in the list. */
export async function revokeKey(id: string): Promise<KeyView> {
  return reloaded(await call(KeyView, `POST ${pathOf(id)}/revoke`));
}

/** Removes a key. */
export async function removeKey(id: string): Promise<void> {
  await send(`DELETE ${pathOf(id)}`);
  await reloaded(undefined);
}

function pathOf(id: string): string {
  return `/api/keys/${encodeURIComponent(id)}`;
}

async function reloaded<T>(answer: T): Promise<T> {
  await queries.invalidateQueries({ queryKey: KEY });
  return answer;
}

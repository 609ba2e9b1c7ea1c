import { useEffect, useState, useSyncExternalStore } from "react";
import { useMe, userIdOf } from "../../api/account.ts";
import { useUrlState } from "../../parts/urlstate.ts";
import type { Room, RoomState } from "./room.ts";
import { type Shelf, type ShelfState, shelfOf } from "./shelf.ts";

const ADDRESS = { chat: "", model: "" };
const NOTHING: ShelfState = { heads: [], room: undefined, fault: undefined };

/** The reader's shelf, undefined until it is open, and what is on it. */
export function useShelf(): { shelf: Shelf | undefined; state: ShelfState } {
  const me = useMe();
  const reader = me.data === undefined ? undefined : (userIdOf(me.data) ?? "local");
  const [shelf, setShelf] = useState<Shelf>();
  useEffect(() => {
    if (reader !== undefined) void shelfOf(reader).then(setShelf);
  }, [reader]);
  const state = useSyncExternalStore(
    (listener) => shelf?.subscribe(listener) ?? (() => undefined),
    () => shelf?.state ?? NOTHING,
  );
  return { shelf, state };
}

/** What goes on in a room. */
export function useRoom(room: Room): RoomState {
  return useSyncExternalStore(room.subscribe, () => room.state);
}

/**
 * The address says which conversation is open and whom it asks: who follows a link comes there, and
 * what is opened or chosen is written there.
 */
export function useAddress(shelf: Shelf | undefined, room: Room | undefined): void {
  const [{ chat, model }, change] = useUrlState(ADDRESS);
  useEffect(() => {
    void shelf?.enter({ chat, model });
  }, [shelf, chat, model]);
  const conversation = useSyncExternalStore(
    (listener) => room?.subscribe(listener) ?? (() => undefined),
    () => room?.state.conversation,
  );
  const id = conversation?.id;
  const first = conversation?.targets[0]?.model;
  const isBare = chat === "" && model === "";
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was opened, not what is asked for
  useEffect(() => {
    if (id !== undefined && first !== undefined) change({ chat: id, model: first });
  }, [id, first, isBare]);
}

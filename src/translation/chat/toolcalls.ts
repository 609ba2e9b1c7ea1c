import type { ToolCallDelta } from "../../wire/chat.ts";
import { JsonObjectEnd } from "./objectend.ts";

/** A call, as far as it is known. */
export interface TrackedCall {
  /** Its place among the answer's calls. */
  readonly number: number;
  /** The first that was told; "" until then, or where there is none. */
  id: string;
  name: string;
  /** Where its arguments end. */
  readonly end: JsonObjectEnd;
  /** Whether any of its arguments have come. */
  hasArguments: boolean;
}

/**
 * Tells which call each piece of a stream belongs to. The index says it; without one, the id does,
 * and without that it is the last call. Ids may change from piece to piece, or come late. Servers
 * that give all calls the same index, or none, begin another one with a name when the arguments
 * before are complete, or when none have come and the name is another.
 */
export class ToolCallTracker {
  readonly calls: TrackedCall[] = [];
  readonly #byIndex = new Map<number, TrackedCall>();

  /** The call that a piece belongs to, with the piece in it. */
  add(piece: ToolCallDelta): TrackedCall {
    const known = this.#find(piece);
    const call = known === undefined || isNewCall(piece, known) ? this.#start(piece) : known;
    call.id ||= piece.id ?? "";
    call.name ||= piece.function?.name ?? "";
    const args = piece.function?.arguments ?? "";
    if (args !== "") {
      call.hasArguments = true;
      call.end.push(args);
    }
    return call;
  }

  #find({ index, id }: ToolCallDelta): TrackedCall | undefined {
    if (index != null) return this.#byIndex.get(index);
    const same = id ? this.calls.find((call) => call.id === id) : undefined;
    return same ?? this.calls.at(-1);
  }

  #start({ index }: ToolCallDelta): TrackedCall {
    const number = this.calls.length;
    const end = new JsonObjectEnd();
    const call: TrackedCall = { number, id: "", name: "", end, hasArguments: false };
    this.calls.push(call);
    if (index != null) this.#byIndex.set(index, call);
    return call;
  }
}

/** Whether a piece begins another call than the one that it seems to belong to. */
function isNewCall({ id, function: piece }: ToolCallDelta, call: TrackedCall): boolean {
  const name = piece?.name;
  if (!name || call.name === "" || (id && id === call.id)) return false;
  if (name !== call.name) return call.end.isReached || !call.hasArguments;
  if (!call.end.isReached) return false;
  return id ? call.id !== "" : call.id === "" && piece.arguments !== "";
}

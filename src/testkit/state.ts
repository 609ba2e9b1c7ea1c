import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openState, type State } from "../db/database.ts";
import type { NewRequestRow } from "../db/history/records.ts";
import type { EndpointRow, NewEndpoint } from "../db/state/endpoint.ts";
import { createLogger, type Logger } from "../lib/log.ts";

/** A data folder of a test's own. */
export interface StateHome {
  path: string;
  open(): Promise<State>;
  /** Closes what was opened and removes the folder. */
  remove(): Promise<void>;
}

export const silent: Logger = createLogger({ level: "silent", readable: false });

/** Makes an empty data folder. */
export function makeStateHome(log: Logger = silent): StateHome {
  const path = mkdtempSync(join(tmpdir(), "llmlb-db-"));
  const opened: State[] = [];
  return {
    path,
    async open() {
      const state = await openState({ home: path, log });
      opened.push(state);
      return state;
    },
    async remove() {
      for (const state of opened) await state.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Adds an endpoint. Throws if its name or address exists. */
export async function createEndpoint(state: State, given: NewEndpoint): Promise<EndpointRow> {
  const created = await state.endpoints.create(given);
  if ("taken" in created) throw new Error(`${created.taken} is taken`);
  return created.endpoint;
}

/** A request to be recorded. */
export function makeRequest(given: Partial<NewRequestRow> = {}): NewRequestRow {
  return {
    requestId: "req_1",
    requestType: "chat",
    model: "tiny",
    startedAt: Date.now(),
    durationMs: 12.5,
    succeeded: true,
    ...given,
  };
}

/**
 * Why a promise failed. `expect(…).rejects` is of no use here: while it waits, no message of a
 * database thread arrives.
 */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "it did not fail",
    (error) => String(error),
  );
}

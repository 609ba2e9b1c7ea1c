import { requiresAccess } from "../config/loopback.ts";
import type { Settings } from "../config/settings.ts";
import type { State } from "../db/database.ts";
import type { Logger } from "../lib/log.ts";
import { Access } from "./access.ts";
import { Accounts } from "./accounts.ts";
import { type FirstAdmin, makeFirstAdmin } from "./firststart.ts";
import { localPrincipal } from "./localprincipal.ts";

/** Access control and what belongs to it. */
export interface Auth {
  access: Access;
  accounts: Accounts;
  /** What this start made, as the first one with access control. */
  firstAdmin: FirstAdmin | undefined;
  close(): Promise<void>;
}

export interface AuthOptions {
  settings: Settings;
  state: State;
  log: Logger;
  /** What commands of this machine's user send. Default: there are none. */
  localCredential?: string | undefined;
}

const SAVE_USES_MS = 60_000;

/** Reads users and keys, and makes the first admin where one is needed. Throws `StorageError`. */
export async function openAuth(options: AuthOptions): Promise<Auth> {
  const { settings, state, log, localCredential } = options;
  const accounts = await Accounts.open(state);
  const required = requiresAccess(settings);
  const firstAdmin = required ? await makeFirstAdmin(accounts, settings) : undefined;
  const findOther = localPrincipal(localCredential);
  const access = new Access({ accounts, required, findOther });
  const save = () => accounts.saveUses().catch((err) => log.warn({ err }, "auth.uses_not_saved"));
  const timer = setInterval(save, SAVE_USES_MS);
  timer.unref();
  return {
    ...{ access, accounts, firstAdmin },
    close: async () => {
      clearInterval(timer);
      await save();
    },
  };
}

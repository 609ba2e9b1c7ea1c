import type { Limits } from "../../wire/limits.ts";
import type { Permission, Role } from "../../wire/permission.ts";

/**
 * How a request proved whose it is: not at all, with an API key, with the cookie of a log-in, or
 * with the credential that only this machine's user can read.
 */
export type PrincipalKind = "anonymous" | "key" | "session" | "local";

/** An API key that was checked, as far as requests need it. */
export interface PrincipalKey {
  readonly id: string;
  readonly name: string;
  /** The models that it may use, as patterns with `*`; null: all. */
  readonly models: readonly string[] | null;
  readonly limits: Limits;
}

/** Somebody with an account, as far as requests need it. */
export interface PrincipalUser {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly limits: Limits;
  /** His log-ins may do nothing else until he has another password. */
  readonly mustChangePassword: boolean;
}

/** Who sends a request, and what it may do. */
export interface Principal {
  /** Tells principals apart while the process runs; never to be stored or shown. */
  readonly id: string;
  readonly kind: PrincipalKind;
  /**
   * What history and statistics call its key: the key's id; for one that nobody checked `key_` and
   * digits of its hash; undefined without a key.
   */
  readonly keyId: string | undefined;
  /** The key, if it was checked. */
  readonly key: PrincipalKey | undefined;
  /** The owner of the key or the session. */
  readonly user: PrincipalUser | undefined;
  /** The IP address of its connection; undefined once that is gone. */
  readonly address: string | undefined;
  readonly permissions: ReadonlySet<Permission>;
}

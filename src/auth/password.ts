import { randomBytes } from "node:crypto";
import { ApiError } from "../wire/error.ts";
import { Turns } from "./turns.ts";

const PASSWORD_CHARS_MIN = 8;
/** Hashing takes a time that grows with the length. */
const PASSWORD_CHARS_MAX = 1024;

/** Each hashing takes 64 MiB and a core for some 100 ms. */
const HASHINGS_MAX = 2;
const WAITING_MAX = 64;
const RETRY_AFTER_S = 5;

/** Those of the whole process: memory is the process's, too. */
const turns = new Turns({
  running: HASHINGS_MAX,
  waiting: WAITING_MAX,
  full: () => {
    const message = "The password was not looked at: too many others wait. Try again shortly.";
    return new ApiError("unavailable", message, { retryAfterS: RETRY_AFTER_S });
  },
});

/** The argon2id hash of a password. Throws 400 for one that is too short or too long, 503. */
export function hashPassword(password: string): Promise<string> {
  const { length } = password;
  if (length < PASSWORD_CHARS_MIN || length > PASSWORD_CHARS_MAX) {
    const message = `A password needs ${PASSWORD_CHARS_MIN} to ${PASSWORD_CHARS_MAX} characters.`;
    throw new ApiError("invalid_request", message, { param: "password" });
  }
  return turns.run(() => Bun.password.hash(password, "argon2id"));
}

let decoy: string | undefined;

/**
 * Whether a password is the one of a hash. Without a hash it is not, which takes as long to find
 * out. Throws 503 where too many wait.
 */
export function isPassword(password: string, hash: string | null | undefined): Promise<boolean> {
  return turns.run(async () => {
    decoy ??= await Bun.password.hash(randomBytes(16).toString("hex"), "argon2id");
    const compared = hash ?? decoy;
    // No password that is stored is longer.
    const given = password.slice(0, PASSWORD_CHARS_MAX + 1);
    const isSame = given !== "" && (await Bun.password.verify(given, compared));
    return isSame && typeof hash === "string";
  });
}

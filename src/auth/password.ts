import { ApiError } from "../wire/error.ts";

const PASSWORD_CHARS_MIN = 8;
/** Hashing takes a time that grows with the length. */
const PASSWORD_CHARS_MAX = 1024;

/** The argon2id hash of a password. Throws 400 for one that is too short or too long. */
export function hashPassword(password: string): Promise<string> {
  const { length } = password;
  if (length < PASSWORD_CHARS_MIN || length > PASSWORD_CHARS_MAX) {
    const message = `A password needs ${PASSWORD_CHARS_MIN} to ${PASSWORD_CHARS_MAX} characters.`;
    throw new ApiError("invalid_request", message, { param: "password" });
  }
  return Bun.password.hash(password, "argon2id");
}

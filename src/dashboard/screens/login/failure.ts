import { LOGIN_FAILURE_COOKIE } from "../../../wire/login.ts";
import { cookieOf } from "../../api/cookie.ts";

/** Why the log-in elsewhere failed from which the browser has just come back. */
export function loginFailure(): string | undefined {
  const value = cookieOf(LOGIN_FAILURE_COOKIE);
  return value === undefined ? undefined : decodeURIComponent(value);
}

/** Shows it once. */
export function forgetLoginFailure(): void {
  // biome-ignore lint/suspicious/noDocumentCookie: not every browser has the Cookie Store API
  document.cookie = `${LOGIN_FAILURE_COOKIE}=; Path=/dashboard; Max-Age=0`;
}

const NAME = "llmlb_login_failure";

/** Why the log-in elsewhere failed from which the browser has just come back. */
export function loginFailure(): string | undefined {
  const pair = document.cookie.split("; ").find((one) => one.startsWith(`${NAME}=`));
  return pair === undefined ? undefined : decodeURIComponent(pair.slice(NAME.length + 1));
}

/** Shows it once. */
export function forgetLoginFailure(): void {
  // biome-ignore lint/suspicious/noDocumentCookie: not every browser has the Cookie Store API
  document.cookie = `${NAME}=; Path=/dashboard; Max-Age=0`;
}

const NAME = "invitation=";

/**
 * The link by which somebody makes his account with an invitation's code. The code stands behind
 * `#`, which browsers send to nobody: no log has it.
 */
export function invitationLink(code: string): string {
  return `${location.origin}/dashboard#${NAME}${code}`;
}

/** The code of the link by which the page was opened. */
export function invitationInAddress(): string | undefined {
  const hash = decodeURIComponent(location.hash.slice(1));
  return hash.startsWith(NAME) ? hash.slice(NAME.length) : undefined;
}

/** Takes the code out of the address, once it was used. */
export function forgetInvitation(): void {
  history.replaceState(history.state, "", location.pathname + location.search);
}

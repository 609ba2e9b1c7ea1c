import { headerOf, type ResponseHead } from "../../http/client/head.ts";
import { retryAfterMs } from "../../http/client/retryafter.ts";
import { PullError, TransientError } from "./error.ts";
import type { FileSource } from "./filesource.ts";

/** How often a signed address is asked for that the content server refuses. */
const SIGNED_TRIES = 3;
const REFUSALS = new Set([400, 401, 403]);
const SAID_CHARS_MAX = 300;

/** The failure that a response without a part of the file means; `url` is where it came from. */
export function refusal(head: ResponseHead, url: string, source: FileSource): Error {
  const { status } = head;
  const place = withoutQuery(url);
  const isElsewhere = URL.parse(url)?.origin !== URL.parse(source.url)?.origin;
  if (isElsewhere && REFUSALS.has(status)) return refusedElsewhere(status, url, source);
  if (status === 401 || status === 403) return unauthorized(head, place, source);
  if (status === 404 || status === 410) {
    return new PullError(
      "not_found",
      `Fetching ${place} failed: it is not there (${status}). \
Register the model anew, so that its list of files is that of today.`,
    );
  }
  if (status === 408 || status === 429 || status >= 500) {
    return new TransientError(`${place} answers ${status}`, {
      retryAfterMs: retryAfterMs(headerOf(head, "retry-after")),
    });
  }
  return new PullError(
    "unreachable",
    `Fetching ${place} failed: it answers ${status}, which is no part of a file.${saidIn(head)}`,
  );
}

/** Signed addresses expire: the next try asks the hub for another one. */
function refusedElsewhere(status: number, url: string, { url: own }: FileSource): TransientError {
  const { host = url } = URL.parse(url) ?? {};
  const hub = URL.parse(own)?.host ?? own;
  const message = `${host}, the content server that ${hub} redirects to, answers ${status}. The \
model is not gated: a proxy or firewall in between may block that server, or the clock of this \
machine is wrong`;
  return new TransientError(message, { attemptsMax: SIGNED_TRIES });
}

function unauthorized(head: ResponseHead, place: string, source: FileSource): PullError {
  const { status } = head;
  if (source.peer) return new PullError("unauthorized", `${place} refuses us (status=${status}).`);
  const code = headerOf(head, "x-error-code");
  const said = saidIn(head);
  // The hub says whether a model is gated; a mirror may say nothing.
  if (status === 403 && said !== "" && code !== "GatedRepo") {
    return new PullError("unreachable", `Fetching ${place} failed: it answers 403.${said}`);
  }
  const advice =
    source.token === undefined
      ? "Accept its conditions on the hub's page if it has any, then start this node with HF_TOKEN"
      : "Does the account of HF_TOKEN have access? Accept the model's conditions on the hub's page";
  return new PullError(
    "unauthorized",
    `Fetching ${place} failed: gated model or unauthorized (status=${status}).${said} ${advice}, \
and pull again.`,
  );
}

/** The hub's own words about an error, for the end of a message; "" if it has none. */
function saidIn(head: ResponseHead): string {
  const words = headerOf(head, "x-error-message")?.slice(0, SAID_CHARS_MAX).trim() ?? "";
  return words === "" ? "" : ` It says: ${JSON.stringify(words)}.`;
}

/** An address for messages: the queries of signed addresses are secrets. */
export function withoutQuery(url: string): string {
  return url.split("?")[0] ?? url;
}

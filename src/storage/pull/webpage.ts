import { headerOf, type ResponseHead } from "../../http/client/head.ts";
import { PullError } from "./error.ts";
import { withoutQuery } from "./refusal.ts";

/*
 * Nothing that a model consists of is a web page: where one comes, a proxy, or the login of a
 * network, has answered.
 */

const BEGINNING = /^\s*<(?:!doctype html|html|head|body)\b/i;
const BEGINNING_BYTES = 256;

/** Whether an answer says that it is a web page. */
export function isWebPage(head: ResponseHead): boolean {
  return /^(?:text\/html|application\/xhtml)/i.test(headerOf(head, "content-type") ?? "");
}

/** Whether the first bytes of an answer are those of a web page, whatever it says that it is. */
export function startsLikeWebPage(bytes: Uint8Array): boolean {
  return BEGINNING.test(new TextDecoder("latin1").decode(bytes.subarray(0, BEGINNING_BYTES)));
}

/** The file itself may be one only where its name says so. */
export function mayBeWebPage(url: string): boolean {
  return /\.html?$/i.test(withoutQuery(url));
}

/** The failure of a pull that got a web page from this address. */
export function webPageError(url: string): PullError {
  return new PullError(
    "unreachable",
    `Fetching ${withoutQuery(url)} failed: a web page (HTML) came in place of the file. A proxy, \
or the login page of this network, answers for the server. Open the address in a browser from \
here, then pull again.`,
  );
}

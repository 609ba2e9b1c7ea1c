import { isIPv4, isIPv6 } from "node:net";
import { hostname } from "node:os";
import type { Settings } from "../../config/settings.ts";
import { ApiError, HOST_NOT_ALLOWED } from "../../wire/error.ts";

/** What a `Host` header names: this server, another one, or nothing that could be a host. */
export type HostVerdict = "own" | "foreign" | "malformed";

/** Names by which this server may be called, besides those that every server has. */
export interface HostNames {
  /** The machine's name, with or without its domain. */
  machine: string;
  /** In lower case: `llm.example`; `.example` with what is below; `*.example` only that; `*`. */
  allowed: readonly string[];
}

/**
 * Judges a `Host` header. A page in a browser reaches this server under the page's own name once
 * that resolves to one of our addresses (DNS rebinding), and browsers then take us for the page's
 * own server. All that gives it away is the name, so only our own names are served:
 *
 * 1. no header, or an empty one (HTTP/1.0): own, since browsers always send one
 * 2. not of the form `name`, `address` or `[address]`, each with or without a port: malformed
 * 3. an IP address, whose ever: own. What needs no resolving cannot be re-pointed; behind NAT and
 *    in containers, clients use addresses that this machine does not know
 * 4. `localhost` and what is below it (RFC 6761 keeps it out of the DNS): own
 * 5. the machine's name, whole or its first label, the latter with `.local`, too: own
 * 6. what `allowed` says: own
 * 7. else foreign. The machine's name in some other domain is foreign: anybody can own such a one
 */
export function judgeHost(header: string | null, { machine, allowed }: HostNames): HostVerdict {
  if (header === null || header === "") return "own";
  const name = hostIn(header);
  if (name === undefined) return "malformed";
  const isOwn =
    isIPv4(name) ||
    isIPv6(name) ||
    name === "localhost" ||
    name.endsWith(".localhost") ||
    namesOf(machine).includes(name) ||
    allowed.some((entry) => fits(name, entry));
  return isOwn ? "own" : "foreign";
}

/** The names in the settings: what is allowed, and where the server listens and tells it is. */
export function allowedHosts(
  settings: Pick<Settings, "host" | "advertise" | "allowedHosts">,
): string[] {
  const { host, advertise } = settings;
  const told = [host, advertise === null ? "" : (URL.parse(advertise)?.host ?? "")];
  return [...settings.allowedHosts, ...told.flatMap((one) => hostIn(one) ?? [])];
}

/** Refuses requests whose `Host` header does not name this server. */
export class HostCheck {
  readonly #allowed: readonly string[];
  /** Headers that were judged to be ours. */
  readonly #own = new Set<string>();

  /** `allowed` as in `HostNames`; the names that every server has need not be there. */
  constructor(allowed: readonly string[] = []) {
    this.#allowed = allowed;
  }

  /** Throws 403 `host_not_allowed` for a foreign name, 400 `invalid_host` for what is no name. */
  require({ headers }: Request): void {
    const header = headers.get("host");
    if (header === null || this.#own.has(header)) return;
    // The machine may get another name while this process runs.
    const verdict = judgeHost(header, { machine: hostname(), allowed: this.#allowed });
    if (verdict !== "own") throw refusal(header, verdict);
    if (this.#own.size >= REMEMBERED_MAX) this.#own.clear();
    this.#own.add(header);
  }
}

/** Clients use few names, but `*` lets anybody make up more. */
const REMEMBERED_MAX = 256;

/** A name of the DNS (RFC 1123; containers have `_`, too), and a port. */
const NAME = /^([a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*)\.?(?::\d{0,5})?$/i;
const BRACKETED = /^\[([^\]]*)\](?::\d{0,5})?$/;
/** A name of 253 characters, a dot at its end, and a port. */
const HEADER_CHARS_MAX = 260;
const SHOWN_CHARS_MAX = 100;

/** What a `Host` header names: in lower case, without port, brackets and a dot at its end. */
function hostIn(header: string): string | undefined {
  if (header.length > HEADER_CHARS_MAX) return undefined;
  const [, bracketed] = BRACKETED.exec(header) ?? [];
  if (bracketed !== undefined) return isIPv6(bracketed) ? bracketed : undefined;
  return NAME.exec(header)?.[1]?.toLowerCase();
}

function namesOf(machine: string): string[] {
  const whole = machine.toLowerCase().replace(/\.$/, "");
  const [first = ""] = whole.split(".");
  return [whole, first, `${first}.local`];
}

function fits(name: string, entry: string): boolean {
  if (entry === "*") return true;
  if (entry.startsWith("*.")) return name.endsWith(entry.slice(1));
  return name === entry || (entry.startsWith(".") && `.${name}`.endsWith(entry));
}

function refusal(header: string, verdict: "foreign" | "malformed"): ApiError {
  if (verdict === "malformed") {
    const shown = JSON.stringify(header.slice(0, SHOWN_CHARS_MAX));
    const message = `The request was refused: its Host header ${shown} is no host name or address.`;
    return new ApiError("invalid_request", message, { code: "invalid_host" });
  }
  const name = hostIn(header);
  const message = `The request was refused: its Host header names ${name}, which is no name of \
this llmlb. If you reach it by that name, allow it with --allowed-hosts ${name} (or \
LLMLB_ALLOWED_HOSTS, or allowed_hosts in config.json).`;
  return new ApiError("forbidden", message, { code: HOST_NOT_ALLOWED });
}

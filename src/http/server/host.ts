import { isIPv4, isIPv6 } from "node:net";
import { hostname } from "node:os";
import type { Settings } from "../../config/settings.ts";
import { ApiError, HOST_NOT_ALLOWED } from "../../wire/error.ts";

/** What a `Host` header names: this server, another one, or no possible host. */
export type HostVerdict = "own" | "foreign" | "malformed";

/** The names of this server, besides those that every server has. */
export interface HostNames {
  /** The machine's host name, with or without its domain. */
  machine: string;
  /** In lower case: `llm.example`; `.example` and all below; `*.example`, only below; `*`, any. */
  allowed: readonly string[];
}

/**
 * Judges a `Host` header. A web page reaches this server by the page's own host name once that name
 * resolves to one of our addresses (DNS rebinding); the browser then takes us for the page's own
 * server. Only the `Host` header shows it, so only our own names are served:
 *
 * 1. no header, or an empty one (HTTP/1.0): own, because browsers always send one
 * 2. not `name`, `address` or `[address]`, each with or without a port: malformed
 * 3. any IP address: own. It is not resolved, so nobody can rebind it; behind NAT and in containers
 *    clients use addresses that this machine does not know
 * 4. `localhost` and names below it (RFC 6761 keeps them out of the DNS): own
 * 5. the machine's name, its first label alone, or that label with `.local`: own
 * 6. a name that `allowed` covers: own
 *    unless it is a wrong address, as `127.0.0.256` is: malformed
 * 7. any other: foreign. So is the machine's name in another domain, which anybody can register
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
  if (!isOwn) return "foreign";
  // A name that ends in a number: no URL has it as its host.
  return isIPv6(name) || URL.canParse(`http://${header}`) ? "own" : "malformed";
}

/** The names in the settings: the allowed ones, the listening address, the advertised one. */
export function allowedHosts(
  settings: Pick<Settings, "host" | "advertise" | "allowedHosts">,
): string[] {
  const { host, advertise } = settings;
  const addresses = [host, advertise === null ? "" : (URL.parse(advertise)?.host ?? "")];
  return [...settings.allowedHosts, ...addresses.flatMap((one) => hostIn(one) ?? [])];
}

/** Refuses requests whose `Host` header does not name this server. */
export class HostCheck {
  readonly #allowed: readonly string[];
  /** Headers that were judged "own" before. */
  readonly #own = new Set<string>();

  /** `allowed` as in `HostNames`. */
  constructor(allowed: readonly string[] = []) {
    this.#allowed = allowed;
  }

  /** Throws 403 `host_not_allowed` for a foreign name, 400 `invalid_host` for a malformed one. */
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

/** Most headers that are remembered: with `*`, clients can invent any number of names. */
const REMEMBERED_MAX = 256;

/** A DNS name (RFC 1123, and `_` as in names of containers), with or without a port. */
const NAME = /^([a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*)\.?(?::(\d{0,5}))?$/i;
const BRACKETED = /^\[([^\]]*)\](?::(\d{0,5}))?$/;
const PORT_MAX = 65_535;
/** The longest DNS name (253 characters), a trailing dot, and a port. */
const HEADER_CHARS_MAX = 260;
const SHOWN_CHARS_MAX = 100;

/** The host of a `Host` header: in lower case, without port, brackets and trailing dot. */
function hostIn(header: string): string | undefined {
  if (header.length > HEADER_CHARS_MAX) return undefined;
  const [, bracketed, ...ports] = BRACKETED.exec(header) ?? [];
  const [, name, port = ports[0]] = NAME.exec(header) ?? [];
  if (Number(port ?? 0) > PORT_MAX) return undefined;
  if (bracketed !== undefined) return isIPv6(bracketed) ? bracketed : undefined;
  return name?.toLowerCase();
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

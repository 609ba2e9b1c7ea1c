import { parseDurationMs } from "../../config/units.ts";
import { parseFingerprint } from "../../lib/fingerprint.ts";
import { EndpointCapability, type EndpointChangeBody } from "../../wire/endpoint.ts";
import { CliError, EXIT } from "../process/exit.ts";

/** The flags of `llmlb endpoint add` and `set`, as text. */
export interface EndpointFlags {
  name?: string;
  baseUrl?: string;
  key?: string;
  slots?: string;
  models?: string;
  interval?: string;
  timeout?: string;
  capabilities?: string;
  fingerprint?: string;
  notes?: string;
  clear?: string;
}

/** The names that `--clear` takes, and the fields of the API they mean. */
const CLEARABLE = {
  key: "api_key",
  slots: "slots",
  models: "models",
  interval: "health_check_interval_secs",
  timeout: "inference_timeout_secs",
  capabilities: "capabilities",
  fingerprint: "tls_fingerprint",
  notes: "notes",
} as const satisfies Record<string, keyof EndpointChangeBody>;

export const CLEARABLE_NAMES = Object.keys(CLEARABLE).join(", ");
export const CAPABILITY_NAMES = EndpointCapability.options.join(", ");

/** The request body for the flags. Throws `CliError` that names the wrong flag. */
export async function endpointBody(flags: EndpointFlags): Promise<EndpointChangeBody> {
  const { name, baseUrl, key, slots, models, interval, timeout } = flags;
  const { capabilities, fingerprint, notes, clear } = flags;
  const body: EndpointChangeBody = {
    ...(name === undefined ? {} : { name }),
    ...(baseUrl === undefined ? {} : { base_url: baseUrl }),
    ...(key === undefined ? {} : { api_key: key === "-" ? await keyFromStdin() : key }),
    ...(slots === undefined ? {} : { slots: parseCount("--slots", slots) }),
    ...(models === undefined ? {} : { models: wordsOf(models) }),
    ...(interval === undefined
      ? {}
      : { health_check_interval_secs: parseSeconds("--interval", interval) }),
    ...(timeout === undefined
      ? {}
      : { inference_timeout_secs: parseSeconds("--timeout", timeout) }),
    ...(capabilities === undefined ? {} : { capabilities: capabilitiesOf(capabilities) }),
    ...(fingerprint === undefined ? {} : { tls_fingerprint: pinOf(fingerprint) }),
    ...(notes === undefined ? {} : { notes }),
  };
  for (const word of wordsOf(clear ?? "")) {
    const field = fieldToClear(word);
    if (body[field] !== undefined) {
      throw new CliError(`--clear ${word}: it cannot be set at the same time`, EXIT.usage);
    }
    body[field] = null;
  }
  return body;
}

/** A whole number of at least 1. Throws `CliError`. */
export function parseCount(flag: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new CliError(`${flag} ${text}: must be a whole number of at least 1`, EXIT.usage);
}

/** A time as whole seconds, at least one. Throws `CliError`. */
export function parseSeconds(flag: string, text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms >= 1000 && ms % 1000 === 0) return ms / 1000;
  const message = `${flag} ${text}: must be a time in whole seconds such as 30s, 10m or 24h`;
  throw new CliError(message, EXIT.usage);
}

function pinOf(text: string): string {
  const read = parseFingerprint(text);
  if (read !== undefined) return read;
  const expected = "must be the SHA-256 fingerprint of a certificate such as sha256:9f86d0…";
  throw new CliError(`--fingerprint ${text}: ${expected}`, EXIT.usage);
}

function capabilitiesOf(text: string): EndpointChangeBody["capabilities"] {
  return wordsOf(text).map((word) => {
    const found = EndpointCapability.safeParse(word);
    if (found.success) return found.data;
    throw new CliError(`--capabilities ${word}: must be some of ${CAPABILITY_NAMES}`, EXIT.usage);
  });
}

function fieldToClear(word: string): (typeof CLEARABLE)[keyof typeof CLEARABLE] {
  const found = Object.entries(CLEARABLE).find(([name]) => name === word);
  if (found !== undefined) return found[1];
  throw new CliError(`--clear ${word}: must be some of ${CLEARABLE_NAMES}`, EXIT.usage);
}

function wordsOf(text: string): string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

/** Reads a key from standard input: all users of a machine see the arguments of a process. */
async function keyFromStdin(): Promise<string> {
  if (process.stdin.isTTY === true) process.stderr.write("Key, then Enter and Ctrl-D: ");
  const key = (await Bun.stdin.text()).trim();
  if (key !== "") return key;
  throw new CliError("--key -: nothing came on standard input", EXIT.usage);
}

import { parseFingerprint } from "../../lib/fingerprint.ts";
import { EndpointCapability, type EndpointChangeBody } from "../../wire/endpoint.ts";
import { parseCount, parseSeconds, wordsOf } from "../options/flagvalues.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { secretFromStdin } from "../terminal/secret.ts";

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
    ...(key === undefined
      ? {}
      : { api_key: key === "-" ? await secretFromStdin("--key", "Key") : key }),
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

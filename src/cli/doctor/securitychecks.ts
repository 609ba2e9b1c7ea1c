import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { isLoopback } from "../../config/loopback.ts";
import type { Settings } from "../../config/settings.ts";
import { formatDuration } from "../../config/units.ts";
import { trustAuthorities } from "../../http/client/trust.ts";
import { type Certificate, expiryOf, readCertificate } from "../../http/server/certificate.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import type { Finding } from "./finding.ts";

type SecuritySettings = Pick<
  Settings,
  "home" | "host" | "trustedProxies" | "tlsCert" | "tlsKey" | "tlsKeyPassword" | "tlsCa"
>;

/** Files of a data folder that hold keys, prompts or what opens them. */
const PRIVATE_FILES = [
  ...["secret.key", "lb.db", "lb.db-wal", "history.db", "history.db-wal"],
  ...["node.json", "local.key", "login.json", "audit.key"],
];
/** What settings with a secret look like in `config.json`; others may be read by anybody. */
const HAS_SECRETS = /(?:key|token|password)"\s*:|:\/\/[^"/\s]+@/i;
const GROUP_AND_OTHERS = 0o077;
const OTHERS_READ = 0o004;
const DAY_MS = 86_400_000;
const RENEWAL_DUE_MS = 14 * DAY_MS;

/** Checks who else on this machine can read secrets, and whether a network can. */
export function checkSecurity(settings: SecuritySettings): Finding[] {
  const findings = process.platform === "win32" ? [] : [checkModes(settings)];
  return [...findings, checkTls(settings), ...checkAuthorities(settings)];
}

function checkModes({ home, tlsCert, tlsKey }: SecuritySettings): Finding {
  const subject = "File modes";
  const folder = modeOf(home);
  // Below a folder that is closed to others, the modes of files do not matter.
  const isOpen = folder !== undefined && (folder & GROUP_AND_OTHERS) !== 0;
  const config = join(home, "config.json");
  const names = HAS_SECRETS.test(textOf(config))
    ? [...PRIVATE_FILES, "config.json"]
    : PRIVATE_FILES;
  const files = isOpen ? names.map((name) => join(home, name)) : [];
  const open = files.filter((path) => ((modeOf(path) ?? 0) & GROUP_AND_OTHERS) !== 0);
  const key = tlsKey ?? tlsCert;
  const isKeyOpen = key !== null && ((modeOf(key) ?? 0) & OTHERS_READ) !== 0;
  const details = [
    ...open.map((path) => `chmod 600 ${path}`),
    ...(open.length > 0 ? [`chmod 700 ${home}`] : []),
    ...(isKeyOpen ? [`chmod 600 ${key}`] : []),
  ];
  if (details.length === 0) {
    const none = folder === undefined ? "nothing is there yet" : "secrets are this user's alone";
    return { subject, state: "ok", text: none };
  }
  const text = "other users of this machine can read secrets. Close them:";
  return { subject, state: "problem", text, details };
}

function checkTls(settings: SecuritySettings): Finding {
  const subject = "TLS";
  const { host, trustedProxies } = settings;
  let certificate: Certificate | undefined;
  try {
    certificate = readCertificate(settings);
  } catch (cause) {
    return { subject, state: "problem", text: errorMessage(cause) };
  }
  if (certificate !== undefined) return checkExpiry(certificate);
  if (isLoopback(host)) return { subject, state: "ok", text: `not needed on ${host}` };
  if (trustedProxies.length > 0) {
    return { subject, state: "ok", text: `left to the proxies (${trustedProxies.join(", ")})` };
  }
  const text = `none on ${host}: keys and prompts can be read in the network. Set --tls-cert and \
--tls-key, or put a proxy in front and name it with --trusted-proxies`;
  return { subject, state: "note", text };
}

function checkExpiry(certificate: Certificate, nowMs = Date.now()): Finding {
  const subject = "TLS";
  const problem = expiryOf(certificate, nowMs);
  if (problem !== undefined) {
    return { subject, state: "problem", text: `clients refuse the certificate: ${problem}` };
  }
  const leftMs = certificate.expiresAt - nowMs;
  const text = `the certificate is good for ${formatDuration(leftMs)} more`;
  if (leftMs > RENEWAL_DUE_MS) return { subject, state: "ok", text };
  return { subject, state: "note", text: `${text}: renew it` };
}

function checkAuthorities({ tlsCa }: SecuritySettings): Finding[] {
  if (tlsCa === null) return [];
  const subject = "Authorities";
  try {
    trustAuthorities(tlsCa);
    return [{ subject, state: "ok", text: `those of ${tlsCa} are believed, too` }];
  } catch (cause) {
    const text = errorMessage(cause);
    return [{ subject, state: "problem", text }];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // There is none.
  }
}

function modeOf(path: string): number | undefined {
  try {
    return statSync(path).mode;
  } catch {
    return undefined; // There is none, or nobody but its owner gets there.
  }
}

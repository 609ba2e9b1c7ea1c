import { statSync } from "node:fs";
import type { Settings } from "../../config/settings.ts";
import { trustAuthorities } from "../../http/client/trust.ts";
import {
  type Certificate,
  type CertificateFiles,
  expiryOf,
  readCertificate,
} from "../../http/server/certificate.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import type { Logger } from "../../lib/log.ts";

export interface CertificateWatchOptions {
  settings: CertificateFiles;
  /** The one that is shown now. */
  certificate: Certificate;
  log: Logger;
  /** Shows another one; may throw. */
  renew(certificate: Certificate): void;
  /** Time between two looks at the files. Default: 2 s. */
  everyMs?: number;
}

const EVERY_MS = 2000;

/**
 * Looks after the files of a certificate, and shows what they hold once they have changed. They are
 * looked at by their times, so that links, volumes and network folders all work. With files that
 * cannot be used, the certificate stays as it is.
 */
export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  readonly #timer: Timer;
  #fingerprint: string;
  /** The state of the files that were read last. */
  #read: string;
  /** The state at the last look: files that are being written are not read yet. */
  #seen: string;

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
    this.#fingerprint = options.certificate.fingerprint;
    this.#read = stateOf(options.settings);
    this.#seen = this.#read;
    this.#timer = setInterval(() => this.#look(), options.everyMs ?? EVERY_MS);
    this.#timer.unref();
  }

  /** Reads the files now, whether they have changed or not. Never throws. */
  reload(): void {
    const { settings, log, renew } = this.#options;
    this.#read = stateOf(settings);
    try {
      const certificate = readCertificate(settings);
      if (certificate === undefined || certificate.fingerprint === this.#fingerprint) return;
      const problem = expiryOf(certificate, Date.now());
      if (problem !== undefined) throw new Error(`${settings.tlsCert}: ${problem}`);
      renew(certificate);
      this.#fingerprint = certificate.fingerprint;
      log.info(certificateFields(certificate), "tls.renewed");
    } catch (cause) {
      const reason = errorMessage(cause);
      log.warn({ reason, advice: "The certificate before it is still shown." }, "tls.not_renewed");
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const state = stateOf(this.#options.settings);
    const isSettled = state === this.#seen;
    this.#seen = state;
    if (isSettled && state !== this.#read) this.reload();
  }
}

/** The certificate to begin with, if there is one; one that browsers refuse is only logged. */
export function firstCertificate(
  settings: Pick<Settings, keyof CertificateFiles>,
  log: Logger,
): Certificate | undefined {
  const certificate = readCertificate(settings);
  if (certificate === undefined) return undefined;
  const reason = expiryOf(certificate, Date.now());
  const fields = certificateFields(certificate);
  if (reason === undefined) log.info(fields, "tls.certificate");
  else log.warn({ ...fields, reason }, "tls.certificate_not_valid");
  return certificate;
}

/** Reads the authorities of `--tls-ca` again; a file that cannot be used leaves those before. */
export function reloadAuthorities({ tlsCa }: Pick<Settings, "tlsCa">, log: Logger): void {
  try {
    trustAuthorities(tlsCa);
  } catch (cause) {
    const reason = errorMessage(cause);
    log.warn({ reason, advice: "Those before it are still believed." }, "tls.ca_not_read");
  }
}

function certificateFields({ fingerprint, expiresAt }: Certificate) {
  return { fingerprint, expires_at: new Date(expiresAt).toISOString() };
}

function stateOf({ tlsCert, tlsKey }: CertificateFiles): string {
  return [tlsCert, tlsKey].map((path) => (path === null ? "" : fileState(path))).join();
}

function fileState(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs}/${size}/${ino}`;
  } catch (cause) {
    return String((cause as NodeJS.ErrnoException).code);
  }
}

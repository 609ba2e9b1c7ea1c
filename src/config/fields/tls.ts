import { absolutePathFrom } from "../values/path.ts";
import { nonEmptyText } from "../values/scalar.ts";
import type { FieldsOf } from "./field.ts";

/** The certificate that a server shows, and whose certificates it believes. */
export interface TlsSettings {
  /** PEM file with the certificate and its chain; null: it speaks plain HTTP. */
  tlsCert: string | null;
  /** PEM file with the private key; null: it stands in `tlsCert`. */
  tlsKey: string | null;
  /** What the private key is encrypted with; null: it is not. */
  tlsKeyPassword: string | null;
  /** PEM file with authorities that are believed besides the system's; null: none. */
  tlsCa: string | null;
}

/** The fields of `TlsSettings`. */
export const TLS_FIELDS: FieldsOf<TlsSettings> = {
  tlsCert: {
    name: "tls_cert",
    flags: "--tls-cert <file>",
    group: "Server",
    help: "Serve HTTPS with this certificate and its chain (PEM); read again when it changes",
    schema: (folder) => absolutePathFrom(folder),
    fallback: () => null,
    fallbackText: "none",
  },
  tlsKey: {
    name: "tls_key",
    flags: "--tls-key <file>",
    group: "Server",
    help: "Private key of the certificate (PEM)",
    schema: (folder) => absolutePathFrom(folder),
    fallback: () => null,
    fallbackText: "in the file of --tls-cert",
  },
  tlsKeyPassword: {
    name: "tls_key_password",
    flags: "--tls-key-password <text>",
    secret: true,
    group: "Server",
    help: "What the private key is encrypted with; everybody on this machine sees flags, not \
variables",
    schema: () => nonEmptyText("a password"),
    fallback: () => null,
    fallbackText: "none",
  },
  tlsCa: {
    name: "tls_ca",
    flags: "--tls-ca <file>",
    group: "Server",
    help: "Authorities (PEM) whose certificates are believed besides the system's, of endpoints, \
nodes and the balancer",
    schema: (folder) => absolutePathFrom(folder),
    fallback: () => null,
    fallbackText: "none",
  },
};

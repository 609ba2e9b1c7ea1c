import { baseUrl } from "../values/endpoint.ts";
import { certificateFingerprint } from "../values/fingerprint.ts";
import { nonEmptyText } from "../values/scalar.ts";
import type { FieldsOf } from "./field.ts";

/** How a node joins a balancer. */
export interface JoiningSettings {
  /** Balancer that a node joins; null: none. */
  join: string | null;
  /** Enrolment token that the balancer made; null: none. */
  token: string | null;
  /** Fingerprint of the balancer's certificate; null: an authority has to vouch for it. */
  fingerprint: string | null;
  /** Name of the node at the balancer; null: the name of this machine. */
  name: string | null;
  /** URL under which the balancer reaches the node; null: the address it connects from. */
  advertise: string | null;
}

/** The fields of `JoiningSettings`. */
export const JOINING_FIELDS: FieldsOf<JoiningSettings> = {
  join: {
    name: "join",
    flags: "--join <url>",
    group: "Joining",
    help: "Balancer to join, e.g. http://balancer:32768",
    schema: () => baseUrl(),
    fallback: () => null,
    fallbackText: "none",
  },
  token: {
    name: "token",
    flags: "--token <token>",
    secret: true,
    group: "Joining",
    help: "What lets this node in the first time; llmlb endpoint token makes one there",
    schema: () => nonEmptyText("a token such as enrol_…"),
    fallback: () => null,
    fallbackText: "none",
  },
  fingerprint: {
    name: "fingerprint",
    flags: "--fingerprint <sha256:…>",
    group: "Joining",
    help: "Certificate of the balancer, where no known authority has signed it",
    schema: () => certificateFingerprint(),
    fallback: () => null,
    fallbackText: "none",
  },
  name: {
    name: "name",
    flags: "--name <name>",
    group: "Joining",
    help: "Name of this node at the balancer",
    schema: () => nonEmptyText("a name"),
    fallback: () => null,
    fallbackText: "that of this machine",
  },
  advertise: {
    name: "advertise",
    flags: "--advertise <url>",
    group: "Joining",
    help: "Where the balancer reaches this node",
    schema: () => baseUrl(),
    fallback: () => null,
    fallbackText: "where the balancer sees it",
  },
};

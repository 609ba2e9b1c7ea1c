import { z } from "zod";
import { DeviceInfoView } from "./endpoint.ts";

/** The body of `POST /api/enrolment-tokens`. */
export const EnrolmentTokenBody = z.strictObject({
  /** Default: 24 hours. */
  expires_in_secs: z
    .int()
    .min(1)
    .max(366 * 86_400)
    .optional(),
  /** How many nodes may enrol with it; null: any number. Default: 1. */
  max_uses: z.int().min(1).max(1_000_000).nullable().optional(),
  note: z.string().max(200).optional(),
});

/** The answer to it: only here the token itself is shown. */
export const EnrolmentTokenAnswer = z.object({
  id: z.string(),
  token: z.string(),
  purpose: z.literal("node"),
  expires_at: z.string(),
  max_uses: z.number().nullable(),
});
export type EnrolmentTokenAnswer = z.infer<typeof EnrolmentTokenAnswer>;

export type EnrolmentTokenBody = z.infer<typeof EnrolmentTokenBody>;

/** Whether a token can be used, and if not, why. */
export const EnrolmentTokenState = z.enum(["usable", "used_up", "expired", "revoked"]);
export type EnrolmentTokenState = z.infer<typeof EnrolmentTokenState>;

/** A token in a list, without the token itself, which is not stored. Times are RFC 3339. */
export const EnrolmentTokenView = z.object({
  id: z.string(),
  purpose: z.string(),
  note: z.string().nullable(),
  state: EnrolmentTokenState,
  created_at: z.string(),
  expires_at: z.string(),
  /** Null: any number. */
  max_uses: z.number().nullable(),
  uses: z.number(),
  revoked_at: z.string().nullable(),
});
export type EnrolmentTokenView = z.infer<typeof EnrolmentTokenView>;

/** `GET /api/enrolment-tokens`: the newest 1000. */
export const EnrolmentTokenList = z.object({ tokens: z.array(EnrolmentTokenView) });
export type EnrolmentTokenList = z.infer<typeof EnrolmentTokenList>;

const Key = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[\x21-\x7e]+$/, "must be printable ASCII");

const Fingerprint = z.string().regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 digits");

/** What a node reports about itself, when it enrols and whenever it announces itself. */
const announcementFields = {
  /** The URL at which the balancer reaches it; default: the sender's address with `port`. */
  url: z.string().max(2048).optional(),
  port: z.int().min(1).max(65_535),
  /** Of the certificate that the node shows, which then is pinned; absent: plain HTTP. */
  tls_fingerprint: Fingerprint.optional(),
  /** The key that the balancer sends as `Authorization: Bearer`; null: none is needed. */
  api_key: Key.nullable(),
  models: z.array(z.string().min(1).max(1024)).max(10_000),
  slots: z.int().min(0).max(1_000_000),
};

/** The body of `POST /api/nodes`. */
export const EnrolmentBody = z.object({
  token: z.string().min(1).max(200),
  /** Chosen by the node at its first start. Enrolling with it again changes the same endpoint. */
  node_id: z.uuid(),
  name: z.string().trim().min(1).max(100),
  version: z.string().max(100),
  device: DeviceInfoView.optional(),
  ...announcementFields,
});
export type EnrolmentBody = z.infer<typeof EnrolmentBody>;

/** The answer to an announcement: where the balancer reaches the node, and whether it does. */
export const AnnouncementAnswer = z.object({
  endpoint_id: z.string(),
  name: z.string(),
  url: z.string(),
  reachable: z.boolean(),
  /** Why the balancer does not reach it; null if it does. */
  reason: z.string().nullable(),
});
export type AnnouncementAnswer = z.infer<typeof AnnouncementAnswer>;

/** The answer to an enrolment. */
export const EnrolmentAnswer = AnnouncementAnswer.extend({
  /** The credential with which the node authenticates from now on. */
  credential: z.string(),
});
export type EnrolmentAnswer = z.infer<typeof EnrolmentAnswer>;

/** The body of `POST /api/nodes/{node_id}/announce`. */
export const AnnouncementBody = z.object(announcementFields);
export type AnnouncementBody = z.infer<typeof AnnouncementBody>;

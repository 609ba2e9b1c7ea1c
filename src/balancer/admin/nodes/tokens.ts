import { type Enrolment, type TokenRow, tokenStateOf } from "../../../db/state/enrolment.ts";
import type { App } from "../../../http/server/app.ts";
import { readJson } from "../../../http/server/body.ts";
import { isoTime, isoTimeOrNull } from "../../../lib/isotime.ts";
import {
  type EnrolmentTokenAnswer,
  EnrolmentTokenBody,
  type EnrolmentTokenList,
  type EnrolmentTokenView,
} from "../../../wire/enrolment.ts";
import { ApiError } from "../../../wire/error.ts";

const BODY_BYTES_MAX = 64 * 1024;
const TOKEN_MS = 24 * 3_600_000;

/** Creates, lists and revokes enrolment tokens, under `/api` and the older `/v0`. */
export function routeTokens(app: App, enrolment: Enrolment): void {
  for (const base of ["/api/enrolment-tokens", "/v0/enrolment-tokens"]) {
    app.post(base, async (c) => {
      const { value } = await readJson(c, EnrolmentTokenBody, BODY_BYTES_MAX);
      const { expires_in_secs, max_uses = 1, note = null } = value;
      const ttlMs = expires_in_secs === undefined ? TOKEN_MS : expires_in_secs * 1000;
      const created = await enrolment.createToken({
        purpose: "node",
        ttlMs,
        usesMax: max_uses,
        note,
      });
      const { id, token, usesMax } = created;
      const expires_at = isoTime(created.expiresAt);
      return c.json<EnrolmentTokenAnswer>(
        { id, token, purpose: "node", expires_at, max_uses: usesMax },
        201,
      );
    });

    app.get(base, async (c) => {
      const tokens = (await enrolment.listTokens()).map(viewOf);
      return c.json<EnrolmentTokenList>({ tokens });
    });

    app.get(`${base}/:id`, async (c) => {
      const token = await enrolment.token(c.req.param("id"));
      if (token === undefined) throw noToken();
      return c.json<EnrolmentTokenView>(viewOf(token));
    });

    app.delete(`${base}/:id`, async (c) => {
      if (await enrolment.revokeToken(c.req.param("id"))) return c.body(null, 204);
      throw noToken();
    });
  }
}

function viewOf(token: TokenRow): EnrolmentTokenView {
  const { id, purpose, note, createdAt, expiresAt, usesMax, uses, revokedAt } = token;
  return {
    ...{ id, purpose, note, state: tokenStateOf(token, Date.now()) },
    ...{ created_at: isoTime(createdAt), expires_at: isoTime(expiresAt), max_uses: usesMax, uses },
    revoked_at: isoTimeOrNull(revokedAt),
  };
}

function noToken(): ApiError {
  const message = "There is no such token: see GET /api/enrolment-tokens for those there are.";
  return new ApiError("not_found", message, { code: "token_not_found" });
}

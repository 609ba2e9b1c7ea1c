import { expect, test } from "bun:test";
import { isAudited } from "./auditrule.ts";

test.each([
  ["POST /api/keys", true],
  ["PATCH /api/keys/:id", true],
  ["POST /api/keys/:id/rotate", true],
  ["DELETE /v0/users/:id", true],
  ["POST /api/auth/login", true],
  ["POST /api/auth/logout", true],
  ["PUT /api/prices/:model", true],
  ["POST /api/models/register", true],
  ["DELETE /api/delete", true],
  ["POST /api/enrolment-tokens", true],
  ["POST /api/nodes", true],
  ["POST /api/nodes/:id/leave", true],
  ["POST /api/endpoints/:id/test", true],
  ["POST /api/a/route/of/tomorrow", true],
  ["GET /api/keys", false],
  ["POST /v1/chat/completions", false],
  ["DELETE /v1/responses/:id", false],
  ["POST /api/show", false],
  ["POST /api/audit/verify", false],
  ["POST /api/nodes/:id/announce", false],
])("whether %s is recorded: %s", (route, expected) => {
  expect(isAudited(route)).toBe(expected);
});

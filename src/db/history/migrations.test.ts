import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { makeStateHome } from "../../testkit/state.ts";
import { migrate } from "../engine/migrate.ts";
import { HISTORY_MIGRATIONS } from "./migrations.ts";

test("what an earlier program recorded is listed, filtered and counted as before", async () => {
  const home = makeStateHome();
  const db = new Database(join(home.path, "history.db"));
  migrate(db, HISTORY_MIGRATIONS.slice(0, 3));
  for (const [id, name, time] of [["1", "old name", 5] as const, ["2", "new name", 6] as const]) {
    db.run(
      `INSERT INTO requests (id, request_id, request_type, model, endpoint_id, endpoint_name,
        started_at, completed_at, streamed, retries, succeeded, http_status, duration_ms)
        VALUES (?, 'r', 'chat', 'm', 'e', ?, ?, 9, 0, 0, 1, 200, 3)`,
      [id, name, time],
    );
  }
  db.run("INSERT INTO usage VALUES ('2026-01-31', 'e', 'm', 'k', 'chat', 7, 6, 1, 10, 20, 3, 99)");
  db.close(true);
  try {
    const state = await home.open();
    const { records } = await state.requests.page({ model: "m", endpointId: "e" }, { limit: 9 });
    expect(records).toMatchObject([
      { id: "2", userId: null, client: null, costMicros: null },
      { id: "1" },
    ]);
    expect(await state.requests.get("1")).toMatchObject({ attempts: null, requestBody: null });
    expect(await state.requests.count({ model: "m", succeeded: false })).toBe(0);
    expect(await state.names.idsOf("endpoint", "new name")).toEqual(["e"]);
    const numbers = { requests: 7, succeeded: 6, failed: 1, inputTokens: 10, outputTokens: 20 };
    expect((await state.usage.rows({ by: "day", group: "apiKeyId" })).rows).toEqual([
      {
        ...{ period: "2026-01-31", group: "k", ...numbers, cachedTokens: 3, durationMs: 99 },
        ...{ costMicros: 0, firstByte: null, duration: null },
      },
    ]);
  } finally {
    await home.remove();
  }
});

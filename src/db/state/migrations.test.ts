import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { migrate } from "../engine/migrate.ts";
import { STATE_MIGRATIONS } from "./migrations.ts";

test("endpoints keep times that somebody may have asked for, and else follow the settings", () => {
  const db = new Database(":memory:");
  const until = STATE_MIGRATIONS.findIndex(({ name }) => name.startsWith("times that endpoints"));
  migrate(db, STATE_MIGRATIONS.slice(0, until));
  const rows: [string, string, number, number][] = [
    ["usual", "api", 30_000, 600_000],
    ["own", "api", 60_000, 15_000],
    ["older", "api", 30_000, 120_000],
    ["beyond", "api", 100, 1_200_000],
    ["config", "config", 20_000, 300_000],
    ["node", "node", 30_000, 600_000],
  ];
  for (const [name, source, interval, timeout] of rows) {
    db.run(
      `INSERT INTO endpoints (id, name, base_url, url_key, source, health_interval_ms,
       inference_timeout_ms, registered_at, capabilities) VALUES (?, ?, ?, ?, ?, ?, ?, 1, '[]')`,
      [name, name, name, name, source, interval, timeout],
    );
  }
  migrate(db, STATE_MIGRATIONS);
  const sql = "SELECT id, own_interval_ms, own_timeout_ms FROM endpoints ORDER BY rowid";
  expect(db.query(sql).values()).toEqual([
    ["usual", null, null],
    ["own", 60_000, 15_000],
    ["older", null, 120_000],
    ["beyond", null, null],
    ["config", null, null],
    ["node", null, 600_000],
  ]);
});

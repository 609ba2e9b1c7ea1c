import { expect, test } from "bun:test";
import { loadConfig } from "../testkit/config.ts";
import { reloadOf } from "./reload.ts";

test("what has changed takes effect, or waits for a restart, or is the same", () => {
  const before = loadConfig({ config: { queue_max: 5, aliases: ["a=b"], models: ["q.gguf"] } });
  const { home } = before.settings;
  const after = loadConfig({
    config: { queue_max: 6, aliases: ["a=c"], models: ["q.gguf"], host: "::1", log_level: "debug" },
  });
  const next = { ...after.settings, home, models: structuredClone(before.settings.models) };
  expect(reloadOf(before.settings, next)).toEqual({
    changes: { queueMax: 6, aliases: [{ name: "a", models: ["c"] }], logLevel: "debug" },
    changed: ["aliases", "queue_max", "log_level"],
    waiting: ["host"],
  });
  const same = { ...before.settings, models: structuredClone(before.settings.models) };
  expect(reloadOf(before.settings, same)).toEqual({ changes: {}, changed: [], waiting: [] });
});

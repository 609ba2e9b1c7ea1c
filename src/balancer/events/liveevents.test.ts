import { expect, test } from "bun:test";
import type { Principal } from "../../http/server/principal.ts";
import { eventually } from "../../testkit/eventually.ts";
import { LiveEvents, type LiveEventsParts } from "./liveevents.ts";

test("checks that end at the same time are looked at together", async () => {
  let looks = 0;
  const pool = {
    models: [],
    get endpoints() {
      looks += 1;
      return [];
    },
  };
  const parts = {
    ...{ pool, registry: { revision: 0 }, holdings: { pulls: () => [] } },
    gate: { scheduler: { waiting: () => 0, waitingByModel: () => ({}) } },
  };
  const events = new LiveEvents(parts as unknown as LiveEventsParts);
  events.hub.listen({ permissions: new Set() } as unknown as Principal, undefined);
  const before = looks;
  for (let i = 0; i < 5000; i += 1) events.checked();
  expect(looks).toBe(before);
  await eventually(async () => looks > before || undefined);
  expect(looks - before).toBeLessThan(20);
  events.close();
});

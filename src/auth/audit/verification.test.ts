import { expect, test } from "bun:test";
import { openAuditStore } from "../../db/audit/file.ts";
import type { AuditRecord } from "../../db/audit/record.ts";
import { openSecretKey } from "../../db/state/secretkey.ts";
import { temporaryHome } from "../../testkit/command.ts";
import { silent } from "../../testkit/state.ts";
import { chained, GENESIS } from "./chain.ts";
import { systemEvent } from "./systemevent.ts";
import { verify } from "./verification.ts";

const RECORDS = 100_000;

test("a hundred thousand records are checked while others have their turn", async () => {
  using home = temporaryHome();
  const { key, table } = openAuditStore({
    ...{ home: home.path, secret: openSecretKey(home.path), log: silent },
  });
  if (table === undefined) throw new Error("There is no table.");
  let last = GENESIS;
  for (let done = 0; done < RECORDS; done += 10_000) {
    const records: AuditRecord[] = [];
    for (let i = 0; i < 10_000; i += 1) {
      records.push(chained(key, records.at(-1) ?? last, systemEvent("test", { i })));
    }
    await table.append(records, []);
    last = records.at(-1) ?? last;
  }

  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns += 1;
    if (!isDone) setImmediate(turn);
  };
  turn();
  const { checked, fault } = await verify({ table, key, head: last });
  isDone = true;
  await table.close();
  expect([checked, fault]).toEqual([RECORDS, undefined]);
  expect(turns).toBeGreaterThan(RECORDS / 500);
});

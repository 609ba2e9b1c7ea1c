import { expect, test } from "bun:test";
import fc from "fast-check";
import { silent } from "../../testkit/state.ts";
import { sqliteError } from "./sqliteerror.ts";
import { type WriteBehindOptions, WriteBehindQueue } from "./writebehind.ts";

/** A queue that writes to a function instead of a database. */
function queueTo(write: (items: number[]) => void, more: Partial<WriteBehindOptions<number>> = {}) {
  return new WriteBehindQueue<number>({
    name: "test",
    log: silent,
    bytesOf: () => 1,
    write: async (items) => write(items),
    ...more,
  });
}

const full = () => sqliteError("SQLITE_FULL", "disk full", "/a.db");

test("items are written together, in order, soon after the first", async () => {
  const batches: number[][] = [];
  const queue = queueTo((items) => batches.push(items), { everyMs: 5 });
  for (const i of [1, 2, 3]) queue.put(`${i}`, i);
  expect(batches).toEqual([]);
  await Bun.sleep(30);
  expect(batches).toEqual([[1, 2, 3]]);
  expect(queue.pending).toBe(0);
});

test("a full batch does not wait, and none is larger", async () => {
  const batches: number[][] = [];
  const queue = queueTo((items) => batches.push(items), { batchMax: 2, everyMs: 60_000 });
  for (const i of [1, 2, 3, 4, 5]) queue.put(`${i}`, i);
  await queue.flush();
  expect(batches).toEqual([[1, 2], [3, 4], [5]]);
});

test("of two items with a key the newer one stays, or what both make", async () => {
  const written: number[] = [];
  const newer = queueTo((items) => written.push(...items));
  const sum = queueTo((items) => written.push(...items), { merge: (a, b) => a + b });
  for (const queue of [newer, sum]) {
    queue.put("a", 1);
    queue.put("a", 2);
    await queue.flush();
  }
  expect(written).toEqual([2, 3]);
});

test("what cannot be written waits, is merged, and is written by itself later", async () => {
  const written: number[] = [];
  let isFull = true;
  const queue = queueTo(
    (items) => {
      if (isFull) throw full();
      written.push(...items);
    },
    { merge: (a, b) => a + b, everyMs: 1 },
  );
  queue.put("a", 1);
  queue.put("b", 10);
  expect(await queue.flush()).toBe(false);
  queue.put("b", 5);
  isFull = false;
  await Bun.sleep(400);
  expect(written).toEqual([1, 15]);
  expect(queue.dropped).toBe(0);
});

test("beyond the bound the oldest go and are counted", async () => {
  let isFull = true;
  const written: number[] = [];
  const queue = queueTo(
    (items) => {
      if (isFull) throw full();
      written.push(...items);
    },
    { itemsMax: 100 },
  );
  for (let i = 0; i < 250; i += 1) {
    queue.put(`${i}`, i);
    if (i % 50 === 0) await queue.flush();
    expect(queue.pending).toBeLessThanOrEqual(100);
  }
  isFull = false;
  expect(await queue.flush()).toBe(true);
  expect(written.at(-1)).toBe(249);
  expect(written.length + queue.dropped).toBe(250);
  expect(written).toEqual(written.map((_, i) => 250 - written.length + i));
});

test("memory is bounded too", () => {
  const queue = queueTo(() => undefined, { bytesOf: (item) => item, bytesMax: 1000 });
  for (let i = 0; i < 10; i += 1) queue.put(`${i}`, 300);
  expect(queue.pending).toBe(3);
});

test("an item that the database refuses for what it is goes alone", async () => {
  const written: number[] = [];
  const queue = queueTo((items) => {
    if (items.includes(13)) throw sqliteError("SQLITE_CONSTRAINT_NOTNULL", "no", "/a.db");
    written.push(...items);
  });
  for (let i = 0; i < 40; i += 1) queue.put(`${i}`, i);
  expect(await queue.flush()).toBe(true);
  expect(written).toHaveLength(39);
  expect(queue.dropped).toBe(1);
});

test("closing tries once more and counts what is lost", async () => {
  const queue = queueTo(() => {
    throw full();
  });
  queue.put("a", 1);
  await queue.close();
  expect(queue.dropped).toBe(1);
  expect(queue.pending).toBe(0);
});

test("trouble is logged once a minute, not once a row", async () => {
  const events: string[] = [];
  const note = (_: unknown, event: string) => events.push(event);
  const log = {
    warn: note,
    info: note,
    error: note,
  } as unknown as WriteBehindOptions<number>["log"];
  let isFull = true;
  const write = async () => {
    if (isFull) throw full();
  };
  const queue = queueTo(() => undefined, { log, write });
  for (let i = 0; i < 20; i += 1) {
    queue.put(`${i}`, i);
    await queue.flush();
  }
  isFull = false;
  await queue.flush();
  expect(events).toEqual(["storage.unwritable", "storage.recovered"]);
});

test("whatever happens, every item is written once, in order, or counted as dropped", async () => {
  type Step = "put" | "flush" | "break" | "mend";
  const step = fc.constantFrom<Step>("put", "put", "put", "put", "flush", "break", "mend");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      const written: number[] = [];
      let isBroken = false;
      const queue = queueTo(() => undefined, {
        write: async (items) => {
          await Promise.resolve();
          if (isBroken) throw full();
          written.push(...items);
        },
        ...{ batchMax: 3, itemsMax: 10, everyMs: 60_000 },
      });
      let count = 0;
      for (const action of steps) {
        if (action === "put") queue.put(`${++count}`, count);
        else if (action === "flush") await Promise.race([queue.flush(), Promise.resolve()]);
        else isBroken = action === "break";
      }
      isBroken = false;
      await queue.flush();
      await queue.close();
      expect(written).toEqual([...written].sort((a, b) => a - b));
      expect(new Set(written).size + queue.dropped).toBe(count);
      expect(written).toHaveLength(count - queue.dropped);
    }),
    { numRuns: 200 },
  );
});

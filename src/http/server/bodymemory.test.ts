import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BodyMemory, BodyShare } from "./bodymemory.ts";

const MIB = 2 ** 20;
const client = { signal: new AbortController().signal };

function atOnce(memory: BodyMemory, bytes: number): BodyShare {
  const share = memory.take(bytes, client);
  if (!(share instanceof BodyShare)) throw new Error("It was expected at once.");
  return share;
}

describe("the memory for bodies", () => {
  test("is given as long as there is some, and then to who waits longest", async () => {
    const memory = new BodyMemory({ limitBytes: 4 * MIB, waitMs: 60_000 });
    const [first, second] = [atOnce(memory, 2 * MIB), atOnce(memory, 2 * MIB)];
    const order: string[] = [];
    const third = Promise.resolve(memory.take(2 * MIB, client)).then(() => order.push("third"));
    const fourth = Promise.resolve(memory.take(MIB, client)).then(() => order.push("fourth"));
    expect([memory.heldBytes, memory.waiting]).toEqual([4 * MIB, 2]);
    first.release();
    first.release();
    expect([memory.heldBytes, memory.waiting]).toEqual([4 * MIB, 1]);
    await third;
    second.release();
    await fourth;
    expect(order).toEqual(["third", "fourth"]);
    expect([memory.heldBytes, memory.waiting]).toEqual([3 * MIB, 0]);
  });

  test("has room for small ones, however many large ones there are", async () => {
    const memory = new BodyMemory({ limitBytes: 16 * MIB, waitMs: 60_000 });
    const large = atOnce(memory, 4 * MIB);
    const waiting = memory.take(4 * MIB, client);
    expect(waiting).toBeInstanceOf(Promise);
    for (let i = 0; i < 6; i += 1) atOnce(memory, 2 * MIB);
    expect(memory.take(1, client)).toBeInstanceOf(Promise);
    large.release();
    expect((await waiting).bytes).toBe(4 * MIB);
  });

  test("is given to one that is larger than all of it, if it is alone", async () => {
    const memory = new BodyMemory({ limitBytes: 4 * MIB, waitMs: 60_000 });
    const share = atOnce(memory, 100 * MIB);
    const next = memory.take(100 * MIB, client);
    expect(next).toBeInstanceOf(Promise);
    share.release();
    (await next).release();
    expect(memory.heldBytes).toBe(0);
  });

  test("is collected after large bodies before others take their place", async () => {
    let collected = 0;
    const collect = () => {
      collected += 1;
    };
    const memory = new BodyMemory({ limitBytes: 400 * MIB, waitMs: 60_000, collect });
    const shares = [atOnce(memory, 40 * MIB), atOnce(memory, 40 * MIB), atOnce(memory, 3 * MIB)];
    const next = Promise.resolve(memory.take(80 * MIB, client)).then(() => collected);
    for (const share of shares) share.release();
    expect(await next).toBe(1);
  });

  test("is refused at once where nobody waits, when too many do, and after a while", async () => {
    const refusal = { status: 503, code: "body_memory_full", retryAfterS: 5 };
    const impatient = new BodyMemory({ limitBytes: MIB, waitMs: 0 });
    atOnce(impatient, MIB);
    expect(() => impatient.take(1, client)).toThrow(expect.objectContaining(refusal));
    const memory = new BodyMemory({ limitBytes: MIB, waitMs: 1 });
    atOnce(memory, MIB);
    const waiting = Array.from({ length: 1000 }, () => memory.take(1, client));
    expect(() => memory.take(1, client)).toThrow(expect.objectContaining(refusal));
    const ends = await Promise.allSettled(waiting);
    expect(ends.every(({ status }) => status === "rejected")).toBe(true);
    expect([memory.waiting, memory.refused, impatient.refused]).toEqual([0, 1001, 1]);
  });

  test("is not waited for by who has left", async () => {
    const memory = new BodyMemory({ limitBytes: MIB, waitMs: 60_000 });
    const share = atOnce(memory, MIB);
    const leaving = new AbortController();
    const waiting = memory.take(MIB, leaving);
    leaving.abort();
    expect(waiting).rejects.toMatchObject({ kind: "client_closed" });
    share.release();
    expect([memory.heldBytes, memory.waiting]).toEqual([0, 0]);
  });

  test("grows with a body of unknown length, and is refused in the middle of it", () => {
    const memory = new BodyMemory({ limitBytes: MIB, waitMs: 60_000 });
    const [one, other] = [atOnce(memory, 10), atOnce(memory, 10)];
    one.grow(MIB - 10);
    expect(() => other.grow(11)).toThrow(expect.objectContaining({ status: 503 }));
    one.release();
    one.grow(MIB);
    other.grow(MIB);
    other.release();
    expect(memory.heldBytes).toBe(0);
  });

  test("is all given back, whatever happens in whatever order", async () => {
    const sizes = fc.oneof(fc.nat(100), fc.integer({ min: 3 * MIB, max: 5 * MIB }));
    const ends = fc.constantFrom("release", "leave", "grow") as fc.Arbitrary<string>;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(sizes, ends, fc.nat(3))), async (requests) => {
        const memory = new BodyMemory({ limitBytes: 8 * MIB, waitMs: 60_000 });
        const running = requests.map(async ([bytes, end, turns]) => {
          const leaving = new AbortController();
          const taken = memory.take(bytes, leaving);
          for (let i = 0; i < turns; i += 1) await undefined;
          if (end === "leave") leaving.abort();
          const share = await Promise.resolve(taken).catch(() => undefined);
          if (share === undefined) return;
          try {
            if (end === "grow") share.grow(bytes * 2);
          } catch {
            // There was no room: it ends like the others.
          }
          expect(memory.heldBytes).toBeLessThanOrEqual(8 * MIB + 10 * MIB);
          share.release();
        });
        await Promise.all(running);
        expect([memory.heldBytes, memory.waiting]).toEqual([0, 0]);
      }),
    );
  });
});

import { expect, test } from "bun:test";
import { EventListener } from "./listener.ts";

const kib = (count: number) => new Uint8Array(count * 1024);

test("frames come in order, also those sent before anybody read", async () => {
  const listener = new EventListener(() => undefined);
  for (const one of [1, 2, 3]) listener.send(new Uint8Array([one]));
  const reader = listener.stream.getReader();
  expect([...((await reader.read()).value ?? [])]).toEqual([1, 2, 3]);
  const next = reader.read();
  listener.send(new Uint8Array([4]));
  expect([...((await next).value ?? [])]).toEqual([4]);
});

test("one that does not read is sent away, once", () => {
  let gone = 0;
  const listener = new EventListener(() => {
    gone += 1;
  });
  for (let i = 0; i < 300; i += 1) listener.send(kib(1));
  expect(gone).toBe(1);
});

test("one that reads stays, however much comes", async () => {
  let gone = 0;
  const listener = new EventListener(() => {
    gone += 1;
  });
  const reader = listener.stream.getReader();
  for (let i = 0; i < 1000; i += 1) {
    const read = reader.read();
    listener.send(kib(1));
    expect((await read).value?.length).toBe(1024);
  }
  expect(gone).toBe(0);
});

test("ending it ends its stream", async () => {
  const listener = new EventListener(() => undefined);
  const read = listener.stream.getReader().read();
  listener.end();
  expect((await read).done).toBe(true);
});

import { expect, test } from "bun:test";
import { LogTail } from "../../lib/logtail.ts";
import { ApiError } from "../../wire/error.ts";
import { LogStreams, numberOfId } from "./logstream.ts";

function write(tail: LogTail, msg: string, more: object = {}): void {
  const time = new Date(0).toISOString();
  tail.write(`${JSON.stringify({ level: "info", time, ...more, msg })}\n`);
}

async function textOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  return new TextDecoder().decode((await reader.read()).value);
}

test("a reader gets what was before, each line, and after a break what it has missed", async () => {
  const tail = new LogTail();
  const streams = new LogStreams();
  write(tail, "test.one");
  const first = tail.recent({}, { max: 1 }).map(({ entry }) => entry);
  const reader = streams.open({ tail, filter: {}, first, after: tail.lastNumber }).getReader();
  expect(await textOf(reader)).toContain('"message":"test.one"');
  write(tail, "test.two");
  const text = await textOf(reader);
  expect(text).toContain('"message":"test.two"');
  await reader.cancel();
  write(tail, "test.three");
  const [, id] = /^id: (.+)$/m.exec(text) ?? [];
  const after = numberOfId(tail, id) ?? -1;
  const again = streams.open({ tail, filter: {}, first: [], after }).getReader();
  const missed = await textOf(again);
  expect(missed).toContain("test.three");
  expect(missed).not.toContain("test.two");
  expect(numberOfId(new LogTail(), id)).toBeUndefined();
  await again.cancel();
});

test("a reader that takes nothing costs 256 KiB, and is told how much it has lost", async () => {
  const tail = new LogTail({ linesMax: 10 });
  const stream = new LogStreams().open({ tail, filter: {}, first: [], after: 0 });
  for (let i = 0; i < 1000; i += 1) write(tail, `test.n${i}`, { text: "x".repeat(1000) });
  const reader = stream.getReader();
  const text = await textOf(reader);
  expect(text.length).toBeLessThan(300 * 1024);
  const kept = text.match(/test\.n/g)?.length ?? 0;
  expect(text).toEndWith(`event: dropped\ndata: {"dropped":${1000 - kept}}\n\n`);
  write(tail, "test.next");
  expect(await textOf(reader)).toContain("test.next");
  await reader.cancel();
});

test("only so many readers follow at a time; one that leaves makes room", async () => {
  const tail = new LogTail();
  const streams = new LogStreams();
  const open = () => streams.open({ tail, filter: {}, first: [], after: 0 });
  const all = Array.from({ length: 32 }, open);
  expect(open).toThrow(ApiError);
  await all[0]?.cancel();
  all[0] = open();
  for (const one of all) await one.cancel();
});

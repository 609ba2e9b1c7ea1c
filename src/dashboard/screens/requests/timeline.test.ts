import { expect, test } from "bun:test";
import { spansOf } from "./timeline.ts";

function attempt(
  name: string,
  start_ms: number | null,
  error: string | null = null,
  tokens: number | null = null,
) {
  return { endpoint_id: name, endpoint_name: name, start_ms, error, tokens };
}

const ROW = { queue_ms: null, first_byte_ms: 80, duration_ms: 200, streamed: true, error: null };
const partsOf = (request: Parameters<typeof spansOf>[0]) =>
  spansOf(request).map(({ kind, name, fromMs, toMs, reason }) => [
    ...[name || kind, fromMs, toMs, reason],
  ]);

test("a request waits, is tried here and there, and is answered", () => {
  const attempts = [attempt("a", 20, "500"), attempt("b", 50)];
  expect(partsOf({ ...ROW, queue_ms: 20, attempts })).toEqual([
    ["queue", 0, 20, null],
    ["a", 20, 50, "500"],
    ["b", 50, 80, null],
    ["stream", 80, 200, null],
  ]);
});

test("an attempt that goes on with an answer lasts until its end", () => {
  const attempts = [attempt("a", 0, "stream_error", 12), attempt("b", 120, null, 30)];
  expect(partsOf({ ...ROW, attempts })).toEqual([
    ["a", 0, 120, "stream_error"],
    ["b", 120, 200, null],
    ["stream", 80, 200, null],
  ]);
  expect(spansOf({ ...ROW, attempts }).map(({ tokens }) => tokens)).toEqual([12, 30, null]);
});

test("an answer in one piece is no stream, and one that broke says so", () => {
  const request = { ...ROW, streamed: false, error: "stream_broke", attempts: [attempt("a", 0)] };
  expect(partsOf(request).at(-1)).toEqual(["answer", 80, 200, "stream_broke"]);
});

test("the answer to a failed attempt is no stream, and no failure of its own", () => {
  const attempts = [attempt("a", 0, "endpoint_error")];
  expect(partsOf({ ...ROW, error: "endpoint_error", attempts })).toEqual([
    ["a", 0, 80, "endpoint_error"],
    ["answer", 80, 200, null],
  ]);
});

test("one that nobody could take has waited for nothing", () => {
  const request = { ...ROW, queue_ms: 200, first_byte_ms: null, error: "queue_timeout" };
  expect(partsOf({ ...request, attempts: [] })).toEqual([["queue", 0, 200, "queue_timeout"]]);
});

test("times that an earlier program did not know make no span that ends before it begins", () => {
  const request = { ...ROW, first_byte_ms: 10, attempts: [attempt("a", null), attempt("b", 40)] };
  for (const { fromMs, toMs } of spansOf(request)) expect(toMs).toBeGreaterThanOrEqual(fromMs);
});

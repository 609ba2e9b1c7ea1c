import { describe, expect, test } from "bun:test";
import { newSpanId, newTraceId, readTraceparent, writeTraceparent } from "./traceparent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

describe("a traceparent", () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    // Flags that are not known yet, and a later version with more behind.
    [`00-${TRACE}-${SPAN}-fe`, false],
    [`cc-${TRACE}-${SPAN}-03-what-the-future-will-be-like`, true],
  ])("%s is read", (header, isSampled) => {
    expect(readTraceparent(header)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled });
  });

  test.each([
    null,
    "",
    "00",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    ` 00-${TRACE}-${SPAN}-01`,
  ])("%p is none", (header) => {
    expect(readTraceparent(header)).toBeUndefined();
  });

  test("is written as it is read", () => {
    for (const isSampled of [true, false]) {
      const span = { traceId: newTraceId(), spanId: newSpanId(), isSampled };
      expect(readTraceparent(writeTraceparent(span))).toEqual(span);
    }
  });
});

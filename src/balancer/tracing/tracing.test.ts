import { describe, expect, test } from "bun:test";
import { ApiError } from "../../wire/error.ts";
import { ROUTES } from "../../wire/route.ts";
import { type RecordedRequest, RequestRecord } from "../record/record.ts";
import type { TokenCount } from "../record/tokencount.ts";
import type { EndedSpan } from "./spans.ts";
import { Tracing } from "./tracing.ts";

const ESTIMATED: TokenCount = { usage: { input: 1, output: 2, cached: 0 }, source: "estimate" };
const NEVER = new Promise<never>(() => undefined);

function setUp({ isSampled = true } = {}) {
  const spans: EndedSpan[] = [];
  const tracing = new Tracing({
    isSampled: () => isSampled,
    export: (_, more) => void spans.push(...more),
    close: async () => undefined,
  });
  const request = (modelId = "m"): RecordedRequest => ({
    ...{ requestId: "r", route: ROUTES.chat, modelId, streams: true },
    principal: { keyId: undefined, address: undefined },
    trace: tracing.begin(new Request("https://llm.example/v1/chat/completions")),
  });
  const end = (given: RecordedRequest, how: (record: RequestRecord) => void) => {
    const body = new Uint8Array();
    how(
      new RequestRecord({
        request: given,
        body,
        headMax: 9,
        onEnd: (record) => {
          tracing.end(record, ESTIMATED);
        },
      }),
    );
    return spans;
  };
  return { tracing, spans, request, end };
}

describe("the trace of a request", () => {
  test("is not told if it is not sampled", () => {
    const { tracing, request, end } = setUp({ isSampled: false });
    expect(end(request(), (record) => record.ended("complete"))).toEqual([]);
    tracing.refused(request(), new Error("bug"));
    expect(end(request(), (record) => record.ended("complete"))).toEqual([]);
  });

  test("has a span for each wait, before what it waited for", () => {
    const { request, end } = setUp();
    const given = request();
    given.trace?.waited(2, "endpoint");
    given.trace?.waited(1, "slot");
    const [own, ...waits] = end(given, (record) => record.ended("complete"));
    expect(waits.map(({ attributes }) => attributes["llmlb.queue.for"])).toEqual([
      "endpoint",
      "slot",
    ]);
    for (const wait of waits) expect(wait.parentId).toBe(own?.spanId);
    expect(new Set([own, ...waits].map((span) => span?.spanId)).size).toBe(3);
  });

  test("tells a stream that broke as an error, a client that left as none", () => {
    const one = setUp();
    const [failed] = one.end(one.request(), (record) => {
      record.answered(200, NEVER);
      record.ended("failed");
    });
    expect(failed).toMatchObject({ isError: true, attributes: { "error.type": "stream_broke" } });
    const other = setUp();
    const [left] = other.end(other.request(), (record) => record.ended("cancelled"));
    expect(left).toMatchObject({ isError: false, attributes: { "error.type": "client_closed" } });
  });

  test("has no tokens that are estimates, and no endless names", () => {
    const { request, end } = setUp();
    const [span] = end(request("m".repeat(100_000)), (record) => record.ended("complete"));
    expect(Object.keys(span?.attributes ?? {}).filter((name) => /usage/.test(name))).toEqual([]);
    expect(String(span?.attributes["gen_ai.request.model"])).toHaveLength(256);
  });

  test("is told of a request without a record", () => {
    const { tracing, request, spans } = setUp();
    tracing.refused(request(""), new ApiError("invalid_request", "secret", { code: "no_json" }));
    expect(spans[0]?.attributes).toMatchObject({
      "error.type": "no_json",
      "http.response.status_code": 400,
      "url.scheme": "https",
    });
    expect(JSON.stringify(spans)).not.toContain("secret");
  });
});

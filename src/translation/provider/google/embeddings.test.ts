import { describe, expect, test } from "bun:test";
import { apiErrorOf } from "../../../testkit/translation/apierror.ts";
import { embeddingsOverGoogle } from "./embeddings.ts";

describe("embeddings", () => {
  const put = (more: object) => embeddingsOverGoogle({ model: "google:e", ...more }, "e-1");

  test("are asked for together", () => {
    const { path, body } = put({ input: ["a", "b"], dimensions: 2 });
    expect(path).toBe("/models/e-1:batchEmbedContents");
    const one = (text: string) => ({
      model: "models/e-1",
      content: { parts: [{ text }] },
      outputDimensionality: 2,
    });
    expect(body).toEqual({ requests: [one("a"), one("b")] });
  });

  test("come as numbers or as bytes", () => {
    const json = { embeddings: [{ values: [0.5, -2] }] };
    expect(put({ input: "a" }).answer(json)).toEqual({
      object: "list",
      data: [{ object: "embedding", index: 0, embedding: [0.5, -2] }],
      model: "google:e",
      usage: { prompt_tokens: 0, total_tokens: 0 },
    });
    const answer = put({ input: "a", encoding_format: "base64" }).answer(json);
    const bytes = Buffer.from(Object(answer).data[0].embedding, "base64");
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([0.5, -2]);
    expect(apiErrorOf(() => put({ input: "a" }).answer({})).status).toBe(502);
  });

  test.each([
    ["tokens", { input: [[1, 2]] }],
    ["too many texts", { input: Array.from({ length: 101 }, () => "a") }],
    ["nothing", {}],
  ])("of %s are refused", (_name, more) => {
    const { status, param } = apiErrorOf(() => put(more));
    expect([status, param]).toEqual([400, expect.stringMatching(/^input(\.0)?$/)]);
  });
});

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { redact } from "../../lib/redact.ts";
import { AnswerSample } from "./answersample.ts";
import { redactAnswer, redactLargeBody, redactSmallBody } from "./historybody.ts";
import { mask } from "./mask.ts";

const SECRET = "my secret";
const turn = () => Promise.resolve();

describe("a masked body", () => {
  test("keeps its form and says how long its texts were", () => {
    const body = {
      model: "m",
      temperature: 0.5,
      messages: [{ role: "user", content: SECRET }],
      stop: [SECRET],
    };
    expect(JSON.parse(mask(JSON.stringify(body)))).toEqual({
      ...body,
      messages: [{ role: "user", content: "<9 characters>" }],
      stop: ["<9 characters>"],
    });
  });

  test("keeps no texts of streams, quotes, numbers or of what is no JSON", () => {
    const delta = JSON.stringify({ id: "c", delta: { content: `a "${SECRET}" \\` } });
    const stream = `event: x.delta\ndata: ${delta}\n\n: ${SECRET}\n\ndata: [DONE]\n\n`;
    const masked = mask(stream);
    expect(masked).not.toContain("secret");
    expect(masked).toContain("event: x.delta\ndata: {");
    expect(masked).toContain("\n\ndata: [DONE]\n\n");
    expect(mask(SECRET)).toBe("<9 characters>");
    expect(mask('{"prompt":[101,2023,-3.5e-7,4],"n":2}')).toBe('{"prompt":[<4 numbers>],"n":2}');
    expect(mask('{"prompt": [ 1, 2, 3, 4, 5')).toBe('{"prompt": [<5 numbers>');
  });

  test("stays as it is where it is masked again", () => {
    const body = JSON.stringify({ role: "user", content: SECRET, stop: ["<b>", "<1 characters>"] });
    for (const text of [body, `data: ${body}\n\n`, SECRET, '{"prompt":[1,2,3,4,5]}']) {
      expect(mask(mask(text))).toBe(mask(text));
    }
  });

  test("shows nothing of a text wherever it is cut", () => {
    const body = JSON.stringify({ role: "user", content: `\\" ${SECRET} "`, type: SECRET });
    const cut = fc.nat({ max: body.indexOf('"type"') });
    fc.assert(fc.property(cut, (end) => !/secre/.test(mask(body.slice(0, end)))));
  });

  test("is made in time linear to its length", () => {
    const startMs = performance.now();
    for (const part of ["\\", '"', "[1,", '"a":', '\\\\"', "["]) {
      mask(`{"a":"${part.repeat(64_000 / part.length)}`);
      mask(`{"a":${part.repeat(64_000 / part.length)}`);
    }
    expect(performance.now() - startMs).toBeLessThan(1000);
  });
});

describe("the body of a request", () => {
  const body = Buffer.from(
    JSON.stringify({ content: SECRET, image: `data:image/png;base64,${"QUJD".repeat(50_000)}` }),
  );

  test("is kept as policy says, never with its attachments", async () => {
    expect(await redactLargeBody(body, "none", turn)).toBeNull();
    const full = await redactLargeBody(body, "full", turn);
    expect(full).toBe(`{"content":"${SECRET}","image":"data:image/png;<150000 bytes redacted>"}`);
    expect(await redactLargeBody(body, "redacted", turn)).not.toContain("secret");
    expect(redactSmallBody(body, "full")).toBe(full);
  });

  test("is kept the same if it is small", () => {
    const parts = fc.constantFrom(
      "A".repeat(511),
      "A".repeat(513),
      "data:,x",
      "data:a/b;base64,",
      "é",
      " ",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(parts, fc.string()), { maxLength: 20 }), (texts) => {
        const bytes = Buffer.from(texts.join(""));
        expect(redactSmallBody(bytes, "full")).toBe(redact(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  test("is looked through in slices", async () => {
    let turns = 0;
    await redactLargeBody(body, "full", async () => {
      turns += 1;
    });
    expect(turns).toBe(3);
  });
});

test("of an answer the beginning is kept, and how long it was", () => {
  const sample = new AnswerSample(10);
  sample.push(Buffer.from('{"text":"abcdef"}'));
  expect(redactAnswer(sample, "full")).toBe('{"text":"a… [cut: 17 bytes in all]');
  expect(redactAnswer(new AnswerSample(10), "full")).toBeNull();
});

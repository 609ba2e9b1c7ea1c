import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { allFrames, openai, post, says, TINY } from "../src/testkit/clients.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(20_000);

let program: Program;
beforeAll(async () => {
  const aliases = ["--alias", `fast=${TINY}`, "--default-embedding-model", "fast"];
  program = await Program.start({ args: aliases });
});
afterAll(() => program?.stop());

const ASKED = { messages: says("Count from 29 to 31."), temperature: 0 };

/** An answer of the program to one request. */
async function asked(path: string, body: object) {
  const response = await post(program.url + path, body);
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}

describe("a model under another name", () => {
  test.each(["fast", `${TINY}:latest`, TINY])("answers as %s", async (model) => {
    const answer = await openai(program).chat.completions.create({ model, ...ASKED });
    expect(answer.model).toBe(model);
    expect(answer.choices[0]?.message.content).toBe("29, 30, 31");
  });

  test("answers the same, but for the name", async () => {
    const [named, aliased] = await Promise.all(
      [TINY, "fast"].map((model) => asked("/v1/chat/completions", { model, seed: 1, ...ASKED })),
    );
    const varying = { id: 0, created: 0, timings: 0, usage: 0 };
    const stable = (answer: object | undefined) => ({ ...answer, ...varying });
    expect(stable(aliased)).toEqual(stable({ ...named, model: "fast" }));
  });

  test.each([true, false])("says whose answer it is, streamed: %p", async (stream) => {
    const body = { model: "fast", stream, ...ASKED };
    const { headers } = await post(`${program.url}/v1/chat/completions`, body);
    expect([headers.get("x-llmlb-endpoint"), headers.get("x-llmlb-model")]).toEqual([
      "local",
      TINY,
    ]);
  });

  test("has that name in every event of a stream", async () => {
    const body = { model: "fast", stream: true, ...ASKED };
    const chunks = await allFrames(await post(`${program.url}/v1/chat/completions`, body));
    expect(chunks.at(-1)?.data).toBe("[DONE]");
    const names = chunks.slice(0, -1).map(({ json }) => json?.model);
    expect(new Set(names)).toEqual(new Set(["fast"]));
  });

  test.each([
    ["/v1/messages", { max_tokens: 20 }],
    ["/v1/responses", { input: "Hi", messages: undefined }],
    ["/v1/completions", { prompt: "Hi", max_tokens: 4, messages: undefined }],
  ])("has it on %s, streamed or not", async (path, more) => {
    const body = { model: "fast", ...ASKED, ...more };
    expect((await asked(path, body)).model).toBe("fast");
    const frames = await allFrames(await post(program.url + path, { ...body, stream: true }));
    expect(JSON.stringify(frames)).toContain('\\"model\\":\\"fast\\"');
    expect(JSON.stringify(frames)).not.toContain(TINY);
  });

  test("makes embeddings, also where none is named", async () => {
    const named = await asked("/v1/embeddings", { model: "fast", input: "a" });
    expect(named).toMatchObject({ model: "fast", data: [{ object: "embedding" }] });
    expect(await asked("/v1/embeddings", { input: "a" })).toEqual(named);
  });

  test("is listed once, and found by each of its names", async () => {
    const client = openai(program);
    const list = await Array.fromAsync(client.models.list());
    expect(list.map(({ id }) => id)).toEqual([TINY]);
    expect(list[0]).toMatchObject({ aliases: ["fast"], ready: true });
    expect(await client.models.retrieve("fast")).toEqual(list[0] as never);
  });

  test("is one model in the metrics", async () => {
    const metrics = await (await fetch(`${program.url}/metrics`)).text();
    expect(metrics).toContain(`model="${TINY}"`);
    expect(metrics).not.toContain('model="fast"');
  });
});

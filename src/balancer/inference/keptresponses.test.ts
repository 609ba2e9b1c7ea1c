import { expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { eventually } from "../../testkit/eventually.ts";
import { keepingEndpoint } from "../../testkit/servers/responses.ts";

const PATH = "/v1/responses";

async function idOf(answer: Response): Promise<string> {
  return /resp_\w+/.exec(await answer.text())?.[0] ?? `none: ${answer.status}`;
}

test.each([false, true])(
  "a response goes on at the endpoint that made it; streamed: %p",
  async (stream) => {
    using a = keepingEndpoint("a");
    using b = keepingEndpoint("b");
    await using front = await fakeBalancer({ a: a.url, b: b.url }, { strategy: "round-robin" });
    const ask = (more: object) => front.post(PATH, { model: "m", input: "hi", stream, ...more });
    // What routes they have is found out after the first check.
    const first = await eventually(async () => {
      const id = await idOf(await ask({}));
      return /^resp_[ab]_/.test(id) ? id : undefined;
    });
    let previous_response_id = first;
    for (let turn = 0; turn < 6; turn += 1) {
      const next = await idOf(await ask({ previous_response_id }));
      expect(next.slice(0, 7)).toBe(first.slice(0, 7));
      previous_response_id = next;
    }
  },
);

test("a response that no endpoint is known to keep is refused", async () => {
  using a = keepingEndpoint("a");
  await using front = await fakeBalancer({ a: a.url });
  const answer = await front.post(PATH, { model: "m", previous_response_id: "resp_x" });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { code: "unsupported_state" } });
});

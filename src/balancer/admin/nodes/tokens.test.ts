import { expect, test } from "bun:test";
import { type FakeBalancer, fakeBalancer } from "../../../testkit/balancer.ts";
import {
  EnrolmentTokenAnswer,
  EnrolmentTokenList,
  EnrolmentTokenView,
} from "../../../wire/enrolment.ts";

async function make(
  front: FakeBalancer,
  base: string,
  body: object,
): Promise<EnrolmentTokenAnswer> {
  return EnrolmentTokenAnswer.parse(await (await front.post(base, body)).json());
}

function enrol(front: FakeBalancer, token: string, more: object = {}): Promise<Response> {
  return front.post("/api/nodes", {
    ...{ token, node_id: crypto.randomUUID(), name: "n", version: "1", port: 9 },
    ...{ api_key: null, models: [], slots: 1, ...more },
  });
}

test.each(["/api/enrolment-tokens", "/v0/enrolment-tokens"])(
  "%s lists tokens without their secrets, and what each is worth",
  async (base) => {
    await using front = await fakeBalancer({});
    const once = await make(front, base, { note: "rack 1" });
    const many = await make(front, base, { max_uses: null });
    expect((await enrol(front, once.token)).status).toBe(201);

    const text = await (await fetch(front.url + base)).text();
    expect(text).not.toContain(once.token);
    expect(text).not.toContain("hash");
    const { tokens } = EnrolmentTokenList.parse(JSON.parse(text));
    const states = Object.fromEntries(tokens.map(({ id, state }) => [id, state]));
    expect(states).toEqual({ [once.id]: "used_up", [many.id]: "usable" });
    expect(tokens.find(({ id }) => id === once.id)).toMatchObject({
      ...{ note: "rack 1", uses: 1, max_uses: 1, revoked_at: null },
    });

    const one = `${front.url}${base}/${many.id}`;
    expect((await fetch(one, { method: "DELETE" })).status).toBe(204);
    const revoked = EnrolmentTokenView.parse(await (await fetch(one)).json());
    expect(revoked).toMatchObject({ state: "revoked", revoked_at: expect.any(String) });
    // Again is no error, and does not change when it was.
    expect((await fetch(one, { method: "DELETE" })).status).toBe(204);
    expect(await (await fetch(one)).json()).toEqual(revoked);
    const refused = await enrol(front, many.token);
    expect([refused.status, await refused.text()]).toEqual([
      401,
      expect.stringContaining("token_revoked"),
    ]);
  },
);

test("a token that there is none of is a 404", async () => {
  await using front = await fakeBalancer({});
  for (const method of ["GET", "DELETE"]) {
    const answer = await fetch(`${front.url}/api/enrolment-tokens/none`, { method });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { code: "token_not_found" } });
  }
});

test("nodes of one name that come at the same time are all let in", async () => {
  await using front = await fakeBalancer({});
  const { token } = await make(front, "/api/enrolment-tokens", { max_uses: null });
  const ports = Array.from({ length: 12 }, (_, i) => i + 1);
  const answers = await Promise.all(ports.map((port) => enrol(front, token, { port })));
  expect(answers.map(({ status }) => status)).toEqual(ports.map(() => 201));
  const list = (await (await fetch(`${front.url}/api/endpoints`)).json()) as {
    endpoints: { name: string }[];
  };
  const names = new Set(list.endpoints.map(({ name }) => name));
  expect([...names].sort()).toEqual(["n", ...ports.slice(1).map((i) => `n-${i}`)].sort());
});

test("a node that did not hear of its enrolment may ask again, others may not", async () => {
  await using front = await fakeBalancer({});
  const { token, id } = await make(front, "/api/enrolment-tokens", {});
  const node_id = crypto.randomUUID();
  expect((await enrol(front, token, { node_id })).status).toBe(201);
  const again = await enrol(front, token, { node_id });
  expect(again.status).toBe(201);
  const { credential } = (await again.json()) as { credential: string };
  const leave = `/api/nodes/${node_id}/leave`;
  const left = await front.post(leave, {}, { authorization: `Bearer ${credential}` });
  expect(left.status).toBe(204);
  expect(await (await enrol(front, token, { port: 10 })).text()).toContain("token_used_up");
  await fetch(`${front.url}/api/enrolment-tokens/${id}`, { method: "DELETE" });
  expect(await (await enrol(front, token, { node_id })).text()).toContain("token_revoked");
});

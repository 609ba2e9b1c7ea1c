import { expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import { Endpoint } from "../upstream/endpoint.ts";
import { checkEndpoint } from "./check.ts";

const options = { timeoutMs: 2000, signal: new AbortController().signal };

test.each(["api", "node"] as const)(
  "an address that became a forbidden one is not called (%s)",
  async (source) => {
    const endpoint = new Endpoint({ name: "n", url: "http://169.254.169.254", source });
    expect(await checkEndpoint(endpoint, options)).toMatchObject({
      ok: false,
      failure: "connection",
      reason: expect.stringContaining("169.254.169.254 is refused"),
      latencyMs: null,
    });
  },
);

test.each(["PUT", "PATCH"])(
  "an endpoint is not moved to a forbidden address by %s",
  async (method) => {
    using a = fakeEndpoint(["m"], () => Response.json({}));
    await using front = await fakeBalancer({});
    const added = await front.post("/api/endpoints", { name: "a", base_url: a.url });
    const { id } = (await added.json()) as { id: string };
    const path = `${front.url}/api/endpoints/${id}`;
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ name: "b", base_url: "http://[fe80::1]" });
    const refused = await fetch(path, { method, headers, body });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: { code: "forbidden_address", param: "base_url" },
    });
    expect(await (await fetch(path)).json()).toMatchObject({ name: "a", base_url: a.url });
  },
);

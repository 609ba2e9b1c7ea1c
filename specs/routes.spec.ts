import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { fakeBalancer } from "../src/testkit/balancer.ts";
import { openai, says, TINY } from "../src/testkit/clients.ts";
import { faultOf } from "../src/testkit/malformed/errorshape.ts";
import { BODY_LIMIT_BYTES } from "../src/testkit/malformed/requests.ts";
import { type ListedRoute, malformedRoutes } from "../src/testkit/malformed/routes.ts";
import { TestNode } from "../src/testkit/node.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(60_000);

let program: Program;
/** The routes that there are, as the apps themselves tell. */
const routes: Record<"balancer" | "node", ListedRoute[]> = { balancer: [], node: [] };
beforeAll(async () => {
  program = await Program.start({ args: ["--body-limit", String(BODY_LIMIT_BYTES)] });
  await using balancer = await fakeBalancer({});
  routes.balancer = balancer.balancer.app.routes;
  await using node = new TestNode([]);
  routes.node = node.node.app.routes;
});
afterAll(() => program?.stop());

describe.each(["balancer", "node"] as const)("every route of a %s", (part) => {
  const walked = () => malformedRoutes(part, routes[part], BODY_LIMIT_BYTES);

  test("is known here, and none that there is no more", () => {
    const { unknown, gone } = walked();
    expect(unknown.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
    expect(gone).toEqual([]);
  });

  test("refuses what is wrong, in its own words", async () => {
    const url = part === "node" ? program.nodeUrl : program.url;
    const { requests } = walked();
    expect(requests.length).toBeGreaterThan(150);
    const faults: string[] = [];
    for (const request of requests) {
      const fault = await faultOf(url, request);
      if (fault !== undefined)
        faults.push(`${request.path.slice(0, 80)} ${request.what}: ${fault}`);
    }
    expect(faults).toEqual([]);
  });

  test("and then it serves on", async () => {
    const url = part === "node" ? program.nodeUrl : program.url;
    const request = { model: TINY, messages: says("Goodbye"), temperature: 0 };
    const { choices } = await openai({ url }).chat.completions.create(request);
    expect(choices[0]?.message.content).toBe("Goodbye!");
  });
});

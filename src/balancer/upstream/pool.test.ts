import { expect, test } from "bun:test";
import { Endpoint } from "./endpoint.ts";
import { UpstreamPool } from "./pool.ts";

/** A pool with one endpoint that has these models. */
function poolWith(...ids: string[]): UpstreamPool {
  const endpoint = new Endpoint({ name: "node", url: "http://node", kind: "llmlb" });
  endpoint.models = new Map(ids.map((id) => [id, { id, created: 0 }]));
  const pool = new UpstreamPool();
  pool.add(endpoint);
  return pool;
}

test("a model is meant with and without `latest`, and `hf/`, where one of them is served", () => {
  const pool = poolWith("llama3:latest", "qwen", "hf/org/one", "hf/org/two:Q8_0");
  const names = ["llama3", "qwen:latest", "org/one", "org/two:Q8_0", "hf/org/one", "org/three"];
  expect(names.map((name) => pool.idOf(name))).toEqual([
    ...["llama3:latest", "qwen", "hf/org/one", "hf/org/two:Q8_0", "hf/org/one", "org/three"],
  ]);
  const both = poolWith("org/one", "hf/org/one");
  expect(both.idOf("org/one")).toBe("org/one");
});

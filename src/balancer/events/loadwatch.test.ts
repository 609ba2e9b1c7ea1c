import { expect, test } from "bun:test";
import { Endpoint } from "../upstream/endpoint.ts";
import { LoadWatch } from "./loadwatch.ts";

const endpoint = (id: string) => new Endpoint({ name: id, url: "http://a" }, id);

test("only endpoints that work on other requests than before are told", () => {
  const [a, b] = [endpoint("a"), endpoint("b")];
  const watch = new LoadWatch();
  expect(watch.change([a, b], {})).toBeUndefined();
  const request = a.load.begin();
  expect(watch.change([a, b], {})).toEqual({
    ...{ type: "load", changed: [{ id: "a", active: 1, models: {} }] },
  });
  expect(watch.change([a, b], {})).toBeUndefined();
  request.cancel();
  expect(watch.change([a, b], {})?.changed).toEqual([{ id: "a", active: 0, models: {} }]);
  expect(watch.change([a, b], {})).toBeUndefined();
});

test("queues are told when they change, and when the last one is empty", () => {
  const watch = new LoadWatch();
  expect(watch.change([], { m: 2 })).toEqual({ type: "load", changed: [], queues: { m: 2 } });
  expect(watch.change([], { m: 2 })).toBeUndefined();
  expect(watch.change([], {})?.queues).toEqual({});
});

import { expect, test } from "bun:test";
import { endpointState } from "../admin/endpoints/view.ts";
import { Endpoint } from "../upstream/endpoint.ts";
import { type Moment, Watch } from "./watch.ts";

const state = (id: string, active = 0) => {
  const view = endpointState(new Endpoint({ name: id, url: "http://a" }, id));
  return { ...view, active_requests: active };
};
const NOTHING: Moment = { endpoints: [], hosts: [], models: "", loaded: "", pulls: [] };

test("only what differs is told", () => {
  const watch = new Watch();
  watch.begin({ ...NOTHING, endpoints: [state("a"), state("b")] });
  expect(watch.changes({ ...NOTHING, endpoints: [state("a"), state("b")] })).toEqual([]);
  const changed = state("b", 2);
  expect(watch.changes({ ...NOTHING, endpoints: [state("a"), changed] })).toEqual([
    { type: "endpoints", changed: [changed], removed: [] },
  ]);
  expect(watch.changes({ ...NOTHING, endpoints: [state("a")] })).toEqual([
    { type: "endpoints", changed: [], removed: ["b"] },
  ]);
});

test("many that change at once come in several events", () => {
  const many = Array.from({ length: 450 }, (_, i) => state(String(i)));
  const watch = new Watch();
  watch.begin(NOTHING);
  const events = watch.changes({ ...NOTHING, endpoints: many });
  expect(events.map((event) => event.type === "endpoints" && event.changed.length)).toEqual([
    200, 200, 50,
  ]);
});

test("other models are told once", () => {
  const watch = new Watch();
  watch.begin(NOTHING);
  expect(watch.changes({ ...NOTHING, models: "m" })).toEqual([{ type: "models" }]);
  const loaded = { ...NOTHING, models: "m", loaded: "m loaded" };
  expect(watch.changes(loaded)).toEqual([{ type: "loaded" }]);
  expect(watch.changes(loaded)).toEqual([]);
});

test("a host's memory is told when something else is in it", () => {
  const watch = new Watch();
  const host = { memories: [], models: [{ model: "m", state: "loading" as const }], more: 0 };
  watch.begin({ ...NOTHING, endpoints: [state("a")], hosts: [{ id: "a", host }] });
  const moment = { ...NOTHING, endpoints: [state("a")] };
  expect(watch.changes({ ...moment, hosts: [{ id: "a", host }] })).toEqual([]);
  const loaded = { id: "a", host: { ...host, models: [{ model: "m", state: "loaded" as const }] } };
  expect(watch.changes({ ...moment, hosts: [loaded] })).toEqual([
    { type: "hosts", changed: [loaded] },
  ]);
});

import { expect, test } from "bun:test";
import { endpointView } from "../admin/endpoints/view.ts";
import { Endpoint } from "../upstream/endpoint.ts";
import { type Moment, Watch } from "./watch.ts";

const state = (id: string, active = 0) => {
  const view = endpointView(new Endpoint({ name: id, url: "http://a" }, id), undefined);
  return { ...view, active_requests: active };
};
const NOTHING: Moment = { endpoints: [], models: "", loaded: "", pulls: [] };

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

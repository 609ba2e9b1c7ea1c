import { expect, test } from "bun:test";
import type { LiveRequest } from "../../../wire/event.ts";
import { isFiltered, NO_FILTER, runningOf } from "./filter.ts";

function running(request_id: string, more: Partial<LiveRequest> = {}): LiveRequest {
  return {
    ...{ request_id, request_type: "chat", model: "m", api_key_name: "robot", user_name: "eve" },
    ...{ streamed: true, started_at: "2026-01-31T12:00:00Z", ...more },
  };
}

const ALL = [running("1"), running("2", { model: "n" }), running("3", { user_name: null })];

test.each([
  [{}, ["3", "2", "1"]],
  [{ model: " n " }, ["2"]],
  [{ user: "eve" }, ["2", "1"]],
  [{ key: "robot", type: "chat" }, ["3", "2", "1"]],
  [{ type: "embeddings" }, []],
  [{ status: "success" }, []],
  [{ endpoint: "gpu" }, []],
  [{ from: "2026-01-31" }, []],
])("of those that run, %p leaves the right ones, newest first", (filter, ids) => {
  const found = runningOf(ALL, { ...NO_FILTER, ...filter });
  expect(found.map(({ request_id }) => request_id)).toEqual(ids);
});

test("blanks leave nothing out", () => {
  expect(isFiltered({ ...NO_FILTER, model: " " })).toBe(false);
  expect(isFiltered({ ...NO_FILTER, to: "2026-01-31" })).toBe(true);
});

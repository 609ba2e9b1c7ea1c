import { expect, test } from "bun:test";
import { ApiError } from "../../wire/error.ts";
import { SilentRequests } from "./silentrequests.ts";

const ignore = () => false;

test("a check that is answered beside a request shows that the server can do both", () => {
  const silent = new SilentRequests();
  silent.add(ignore, 0);
  silent.beginCheck(10_000)();
  expect(silent.answersBeside).toBe(true);
});

test.each<[string, (silent: SilentRequests) => void]>([
  ["without a request", (silent) => silent.beginCheck(10_000)()],
  [
    "just after a request was sent",
    (silent) => {
      silent.add(ignore, 9_900);
      silent.beginCheck(10_000)();
    },
  ],
  [
    "after the request",
    (silent) => {
      const request = silent.add(ignore, 0);
      const answered = silent.beginCheck(10_000);
      silent.delete(request);
      silent.add(ignore, 10_001);
      answered();
    },
  ],
])("a check that is answered %s shows nothing", (_, act) => {
  const silent = new SilentRequests();
  act(silent);
  expect(silent.answersBeside).toBe(false);
});

test("what is silent is ended, and what has begun if nothing more came of it", () => {
  const silent = new SilentRequests();
  const ended: [string, number | undefined][] = [];
  const add = (name: string) => silent.add((_, sinceMs) => ended.push([name, sinceMs]) > 0, 0);
  const [gone, begun] = [add("gone"), add("begun"), add("silent")];
  if (begun !== undefined) silent.begin(begun);
  if (gone !== undefined) silent.delete(gone);
  const reason = new ApiError("upstream", "It hangs.");
  silent.end(reason, 5);
  expect(ended.splice(0)).toEqual([
    ["silent", undefined],
    ["begun", 5],
  ]);
  if (begun !== undefined) silent.delete(begun);
  silent.end(reason, 6);
  expect(ended).toEqual([["silent", undefined]]);
});

import { expect, test } from "bun:test";
import { ApiError } from "../../wire/error.ts";
import { SilentRequests } from "./silentrequests.ts";

const ignore = () => true;

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
      silent.add(() => true, 10_001);
      answered();
    },
  ],
])("a check that is answered %s shows nothing", (_, act) => {
  const silent = new SilentRequests();
  act(silent);
  expect(silent.answersBeside).toBe(false);
});

test("only what is silent is ended, and once; what nobody else can take stays", () => {
  const silent = new SilentRequests();
  const ended: string[] = [];
  let mayMove = false;
  const a = () => ended.push("a") > 0;
  const b = () => ended.push("b") > 0;
  const c = () => mayMove && ended.push("c") > 0;
  const [request] = [a, b, c].map((end) => silent.add(end, 0));
  if (request !== undefined) silent.delete(request);
  const reason = new ApiError("upstream", "It hangs.");
  silent.end(reason);
  silent.end(reason);
  expect(ended).toEqual(["b"]);
  mayMove = true;
  silent.end(reason);
  expect(ended).toEqual(["b", "c"]);
});

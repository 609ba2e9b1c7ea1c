import { expect, test } from "bun:test";
import { connectionProblem } from "./failure.ts";

test("why there is no connection is told in words, not in those of the runtime", async () => {
  const refused = await fetch("http://127.0.0.1:9").catch((error: unknown) => error);
  expect(connectionProblem(refused)).toBe("the connection was refused");
  expect(connectionProblem({ code: "EHOSTUNREACH" })).toBe("there is no way to its address");
  expect(connectionProblem(new Error("something else"))).toBeUndefined();
  expect(connectionProblem(undefined)).toBeUndefined();
});

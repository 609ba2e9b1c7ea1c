import { expect, test } from "bun:test";
import { makeRequest, makeStateHome } from "../../../testkit/state.ts";
import { written } from "./requests.ts";

test("a request that has only just ended is written, and found", async () => {
  const home = makeStateHome();
  const state = await home.open();
  try {
    state.requests.record(makeRequest({ id: "just-now" }));
    const found = await written(state, () => state.requests.get("just-now"));
    expect(found?.id).toBe("just-now");
    expect(await written(state, () => state.requests.get("never"))).toBeUndefined();
  } finally {
    await state.close();
    await home.remove();
  }
});

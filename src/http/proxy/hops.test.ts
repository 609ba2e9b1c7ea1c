import { expect, test } from "bun:test";
import { ApiError } from "../../wire/error.ts";
import { HOPS_HEADER, Hops } from "./hops.ts";

const header = (value: string) => new Headers({ [HOPS_HEADER]: value });

function refusal(hops: Hops, value: string): string | undefined {
  try {
    hops.require(new Request("http://x/", { headers: header(value) }));
    return undefined;
  } catch (error) {
    return error instanceof ApiError ? `${error.status} ${error.code}` : String(error);
  }
}

test("a request that was here before is refused, one of another balancer is not", () => {
  const [here, there] = [new Hops(), new Hops()];
  const there1 = there.after(header(here.after()));
  expect(there1).toBe(`${here.after()}, ${there.after()}`);
  expect([refusal(here, there1), refusal(there, there1)]).toEqual(
    Array(2).fill("508 loop_detected"),
  );
  expect(refusal(new Hops(), there1)).toBeUndefined();
  expect(refusal(here, "")).toBeUndefined();
});

test("so many balancers may be in a row, whatever else stands in the header", () => {
  let way = "x, , <script>, 0123456789ABCDEF, 0123456789abcdef0";
  expect(new Hops().after(header(way))).toMatch(/^[0-9a-f]{16}$/);
  for (let count = 0; count < 5; count += 1) {
    expect(refusal(new Hops(), way)).toBeUndefined();
    way = new Hops().after(header(way));
  }
  expect(refusal(new Hops(), way)).toBe("508 loop_detected");
});

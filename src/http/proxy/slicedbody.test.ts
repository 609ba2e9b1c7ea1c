import { expect, test } from "bun:test";
import type { ReadableBody } from "../client/body.ts";
import { SlicedBody } from "./slicedbody.ts";

/** A body of these pieces. */
function bodyOf(...pieces: Uint8Array[]): ReadableBody & { aborted: unknown } {
  return {
    aborted: undefined,
    read() {
      if (this.aborted !== undefined) throw this.aborted;
      return pieces.shift();
    },
    abort(cause) {
      this.aborted = cause;
    },
  };
}

test("a large piece comes in slices, each in a turn of its own, and all of it", async () => {
  const piece = Buffer.alloc(200_000, "abc");
  const body = new SlicedBody(bodyOf(piece, Buffer.from("end")));
  const read: Uint8Array[] = [];
  for (let next = await body.read(); next !== undefined; next = await body.read()) read.push(next);
  expect(read.map(({ byteLength }) => byteLength)).toEqual([65_536, 65_536, 65_536, 3392, 3]);
  expect(Buffer.concat(read).equals(Buffer.concat([piece, Buffer.from("end")]))).toBe(true);
});

test("a small piece comes at once, as it is", () => {
  const piece = Buffer.from("small");
  expect(new SlicedBody(bodyOf(piece)).read()).toBe(piece);
});

test("nothing comes after it was aborted, not even of a piece that has come", async () => {
  const inner = bodyOf(Buffer.alloc(200_000));
  const body = new SlicedBody(inner);
  body.read();
  const next = body.read();
  body.abort(new Error("gone"));
  expect(inner.aborted).toBeInstanceOf(Error);
  expect(async () => await next).toThrow("gone");
});

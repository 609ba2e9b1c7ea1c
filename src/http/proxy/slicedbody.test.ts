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
  const next = async () => body.slice(await body.read());
  for (let slice = await next(); slice !== undefined; slice = await next()) read.push(slice);
  expect(read.map(({ byteLength }) => byteLength)).toEqual([65_536, 65_536, 65_536, 3392, 3]);
  expect(Buffer.concat(read).equals(Buffer.concat([piece, Buffer.from("end")]))).toBe(true);
});

test("a small piece comes at once, as it is", () => {
  const piece = Buffer.from("small");
  const body = new SlicedBody(bodyOf(piece));
  const read = body.read();
  expect(read).toBe(piece);
  expect(body.slice(piece)).toBe(piece);
});

test("nothing comes after it was aborted, not even of a piece that has come", async () => {
  const inner = bodyOf(Buffer.alloc(200_000));
  const body = new SlicedBody(inner);
  body.slice(await body.read());
  const next = body.read();
  body.abort(new Error("gone"));
  expect(inner.aborted).toBeInstanceOf(Error);
  expect(async () => await next).toThrow("gone");
});

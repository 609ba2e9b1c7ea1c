import { expect, test } from "bun:test";
import type { AnswerBody } from "../client/body.ts";
import { withoutOwnSecret } from "./upstreamerror.ts";

/** A body of these pieces, which come later or are there already. */
function bodyOf(pieces: string[], isLater = false): AnswerBody {
  return {
    ended: false,
    read() {
      const piece = pieces.shift();
      const bytes = piece === undefined ? undefined : Buffer.from(piece);
      return isLater ? Promise.resolve(bytes) : bytes;
    },
    bytes: async () => Buffer.from(pieces.join("")),
    abort: () => undefined,
  };
}

async function clean(text: string, headers?: Record<string, string>): Promise<string> {
  const bytes = await withoutOwnSecret(bodyOf([text]), headers).bytes(100);
  return Buffer.from(bytes).toString();
}

test("an answer does not repeat the key that its target was called with", async () => {
  const text = "Ungültig: sk-own-key, Bearer sk-own-key";
  const masked = "Ungültig: ***, Bearer ***";
  expect(await clean(text, { authorization: "Bearer sk-own-key" })).toBe(masked);
  expect(await clean("AIza12345 is bad", { "x-goog-api-key": "AIza12345" })).toBe("*** is bad");
  expect(await clean("Basic dTpwYXNz", { authorization: "Basic dTpwYXNz" })).toBe("Basic ***");
  expect(await clean("no model", { authorization: "Bearer sk-own-key" })).toBe("no model");
});

test.each([true, false])("a stream begins without the key (later: %p)", async (isLater) => {
  const headers = { authorization: "Bearer sk-own-key" };
  const body = withoutOwnSecret(bodyOf(["sk-own-key.", "rest"], isLater), headers);
  const read = async () => (await body.read())?.toString();
  expect([await read(), await read(), await read()]).toEqual(["***.", "rest", undefined]);
});

test("without a key, or with one that could be any word, the body itself passes", () => {
  const body = bodyOf([]);
  expect(withoutOwnSecret(body)).toBe(body);
  expect(withoutOwnSecret(body, { authorization: "Bearer model" })).toBe(body);
});

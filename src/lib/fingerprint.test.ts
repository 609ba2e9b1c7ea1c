import { expect, test } from "bun:test";
import { parseFingerprint } from "./fingerprint.ts";

const DIGITS = "5be6d256d2a43b399adf66063470014411455cc29a85abc5cbb32c7d0a99193c";
const COLONS = DIGITS.toUpperCase().replace(/..(?=.)/g, "$&:");

test.each([
  ...[DIGITS, COLONS, `sha256:${DIGITS}`, `SHA256:${COLONS}`, ` ${DIGITS}\n`],
  ...[`sha256 Fingerprint=${COLONS}`, `SHA256 Fingerprint=${COLONS}`],
])("%s is read", (text) => {
  expect(parseFingerprint(text)).toBe(`sha256:${DIGITS}`);
});

test.each(["", "sha256:", DIGITS.slice(1), `${DIGITS}0`, `sha1:${DIGITS}`, `${DIGITS.slice(1)}g`])(
  "%j is none",
  (text) => {
    expect(parseFingerprint(text)).toBeUndefined();
  },
);

import { expect, test } from "bun:test";
import { FUZZED_PARSERS, fuzzParser } from "./parsers.ts";

const CASES = 300;

// More of them: npm run fuzz
test.each(Object.keys(FUZZED_PARSERS))("whatever it is given, %s only does what it may", (name) => {
  for (let seed = 1; seed <= CASES; seed += 1) expect(() => fuzzParser(name, seed)).not.toThrow();
});

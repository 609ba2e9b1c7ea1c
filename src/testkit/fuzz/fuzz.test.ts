import { afterAll, expect, test } from "bun:test";
import { EngineHome } from "../engine.ts";
import { fuzzOnce } from "./fuzz.ts";

const FILES = 25;

const home = new EngineHome();
afterAll(() => home[Symbol.dispose]());

// More of them: npm run fuzz -- engine
test("damaged models load, are refused or end their own process, and never hang", async () => {
  for (let seed = 1; seed <= FILES; seed += 1) {
    const { outcome, what } = await fuzzOnce(home, seed);
    expect({ what, outcome }).not.toEqual({ what, outcome: "timeout" });
  }
}, 60_000);

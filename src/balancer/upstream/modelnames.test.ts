import { describe, expect, test } from "bun:test";
import { ModelNames } from "./modelnames.ts";

describe("names of models", () => {
  test("mean themselves where nothing is known", () => {
    expect(new ModelNames().idOf("any")).toBe("any");
  });

  test("of one model mean its id, whoever tells them", () => {
    const names = new ModelNames();
    names.set("config", [{ id: "m", aliases: ["fast", "x"] }]);
    names.set("registry", [{ id: "hf/a/m", aliases: ["a/m"] }]);
    expect(["fast", "x", "m", "a/m"].map((name) => names.idOf(name))).toEqual([
      ...["m", "m", "m", "hf/a/m"],
    ]);
    expect(names.aliasesOf("m")).toEqual(["fast", "x"]);
  });

  test("that two models share make them one, with the registry's id", () => {
    const names = new ModelNames();
    names.set("config", [
      { id: "org/repo", aliases: ["fast"] },
      { id: "x", aliases: ["fast"] },
    ]);
    expect(["fast", "x", "org/repo"].map((name) => names.idOf(name))).toEqual(
      Array(3).fill("org/repo"),
    );
    names.set("registry", [{ id: "hf/org/repo", aliases: ["org/repo"] }]);
    expect(["fast", "x", "org/repo"].map((name) => names.idOf(name))).toEqual(
      Array(3).fill("hf/org/repo"),
    );
    expect(names.aliasesOf("hf/org/repo")).toEqual(["fast", "org/repo", "x"]);
  });

  test("with a quantization mean a registered model in any case, and no other", () => {
    const names = new ModelNames();
    const id = "hf/a/m:q4_k_m";
    names.set("registry", [{ id, aliases: ["a/m:q4_k_m"] }]);
    names.set("config", [{ id: "x:8b", aliases: ["fast"] }]);
    const given = [id, "hf/a/m:Q4_K_M", "a/m:Q4_K_M", "a/m:Q4_K_S", "A/m:Q4_K_M", "x:8B"];
    expect(given.map((name) => names.idOf(name))).toEqual([id, id, id, ...given.slice(3)]);
    names.set("registry", []);
    expect(names.idOf("a/m:Q4_K_M")).toBe("a/m:Q4_K_M");
  });

  test("that are set anew replace those of the same source, and tell so", () => {
    const names = new ModelNames();
    let changes = 0;
    names.onChange = () => {
      changes += 1;
    };
    names.set("registry", [{ id: "m", aliases: ["old"] }]);
    names.set("registry", [{ id: "m", aliases: ["new"] }]);
    expect(names.idOf("old")).toBe("old");
    expect(names.idOf("new")).toBe("m");
    expect(changes).toBe(2);
  });
});

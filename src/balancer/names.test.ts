import { describe, expect, test } from "bun:test";
import { Names } from "./names.ts";

describe("names of models", () => {
  test("mean themselves where nothing is known", () => {
    expect(new Names().idOf("any")).toBe("any");
  });

  test("of one model mean its id, whoever tells them", () => {
    const names = new Names();
    names.set("config", [{ id: "m", aliases: ["fast", "x"] }]);
    names.set("registry", [{ id: "hf/a/m", aliases: ["a/m"] }]);
    expect(["fast", "x", "m", "a/m"].map((name) => names.idOf(name))).toEqual([
      ...["m", "m", "m", "hf/a/m"],
    ]);
    expect(names.aliasesOf("m")).toEqual(["fast", "x"]);
  });

  test("that two models claim belong to the first, and an id to its model", () => {
    const names = new Names();
    names.set("config", [
      { id: "a", aliases: ["both", "b"] },
      { id: "b", aliases: ["both"] },
    ]);
    expect(names.idOf("both")).toBe("a");
    expect(names.idOf("b")).toBe("b");
    expect(names.aliasesOf("a")).toEqual(["both"]);
    expect(names.aliasesOf("b")).toEqual([]);
  });

  test("that are set anew replace those of the same source, and tell so", () => {
    const names = new Names();
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

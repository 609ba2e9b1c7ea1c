import { expect, test } from "bun:test";
import fc from "fast-check";
import { type LocalModel, planSync, type SyncPlanInput } from "./plan.ts";

const model = (id: string, revision: string | null = "r1", template: string | null = null) => ({
  ...{ id, revision, template, names: [], settings: null, quantizations: [] },
});
const localModel = (id: string, more: Partial<LocalModel> = {}): LocalModel => ({
  ...{ id, isComplete: true, revision: "r1", template: null, isSynced: true, ...more },
});
const planned = (given: Partial<SyncPlanInput> & { ids?: string[]; complete?: boolean }) => {
  const assigned = { models: (given.ids ?? []).map((id) => model(id)), complete: true };
  const { pull, setTemplate, ...rest } = planSync({
    ...{ local: [], running: [], retries: new Map(), nowMs: 0 },
    assigned: { ...assigned, complete: given.complete ?? true },
    ...given,
  });
  const ids = (models: { id: string }[]) => models.map(({ id }) => id);
  return { pull: ids(pull), setTemplate: ids(setTemplate), ...rest };
};
const NOTHING = { pull: [], setTemplate: [], cancel: [], remove: [] };

test("what is missing is pulled, what is too much is removed", () => {
  const local = [localModel("a"), localModel("old")];
  expect(planned({ ids: ["a", "b"], local })).toEqual({ ...NOTHING, pull: ["b"], remove: ["old"] });
});

test("what a person placed stays, and is not replaced by another revision", () => {
  const local = [
    localModel("mine", { isSynced: false, revision: undefined }),
    localModel("a", { isSynced: false, revision: "r0" }),
  ];
  expect(planned({ ids: ["a"], local })).toEqual(NOTHING);
});

test("a list that is not complete removes nothing and ends no pull", () => {
  const given = { ids: [], local: [localModel("a")], running: ["b"] };
  expect(planned({ ...given, complete: false })).toEqual(NOTHING);
  expect(planned(given)).toEqual({ ...NOTHING, cancel: ["b"], remove: ["a"] });
});

test("another revision, and a model of which files are gone, is pulled again", () => {
  const local = [localModel("a", { revision: "r0" }), localModel("b", { isComplete: false })];
  expect(planned({ ids: ["a", "b"], local }).pull).toEqual(["a", "b"]);
});

test("another chat template is taken without another pull, a person's model keeps its own", () => {
  const assigned = { models: [model("a", "r1", "t"), model("b"), model("c", "r1", "t")] };
  const local = [
    localModel("a"),
    localModel("b", { template: "old" }),
    localModel("c", { isSynced: false }),
    localModel("d", { template: "t" }),
  ];
  const given = { assigned: { ...assigned, complete: false }, local };
  expect(planned(given)).toEqual({ ...NOTHING, setTemplate: ["a", "b"] });
  const other = { ...given, assigned: { models: [model("a", "r2", "t")], complete: false } };
  expect(planned(other)).toEqual({ ...NOTHING, pull: ["a"] });
});

test("what is being pulled is not pulled twice", () => {
  expect(planned({ ids: ["a"], running: ["A"] })).toEqual(NOTHING);
});

test("what failed is tried again later, and at once in another revision", () => {
  const retries = new Map([["a", { revision: "r1", nextMs: 1000 }]]);
  expect(planned({ ids: ["a"], retries, nowMs: 999 }).pull).toEqual([]);
  expect(planned({ ids: ["a"], retries, nowMs: 1000 }).pull).toEqual(["a"]);
  const assigned = { models: [model("a", "r2")], complete: true };
  expect(planned({ assigned, retries }).pull).toEqual(["a"]);
});

test("whatever lies where: nothing of a person's and nothing wanted is ever removed", () => {
  const id = fc.constantFrom("a", "A", "b", "org/m", "org/M");
  const local = fc.array(
    fc.record({
      ...{ id, isComplete: fc.boolean(), isSynced: fc.boolean() },
      revision: fc.constantFrom("r1", "r0", undefined),
      template: fc.constantFrom(null, "t"),
    }),
  );
  const given = fc.record({ ids: fc.uniqueArray(id), local, complete: fc.boolean() });
  fc.assert(
    fc.property(given, ({ ids, local: files, complete }) => {
      const { remove, pull } = planned({ ids, local: files, complete });
      const wanted = ids.map((one) => one.toLowerCase());
      for (const one of remove) {
        expect(wanted).not.toContain(one.toLowerCase());
        expect(files.some((file) => file.id === one && file.isSynced)).toBe(true);
      }
      if (!complete) expect(remove).toEqual([]);
      expect(ids).toEqual(expect.arrayContaining(pull));
    }),
  );
});

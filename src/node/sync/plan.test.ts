import { expect, test } from "bun:test";
import fc from "fast-check";
import { type OnDisk, type PlanInput, plan } from "./plan.ts";

const model = (id: string, revision: string | null = "r1", template: string | null = null) => ({
  ...{ id, revision, template, names: [], quantizations: [] },
});
const lying = (id: string, more: Partial<OnDisk> = {}): OnDisk => ({
  ...{ id, whole: true, revision: "r1", template: null, synced: true, ...more },
});
const planned = (given: Partial<PlanInput> & { ids?: string[]; complete?: boolean }) => {
  const wanted = { models: (given.ids ?? []).map((id) => model(id)), complete: true };
  const { pull, retell, ...rest } = plan({
    ...{ disk: [], running: [], attempts: new Map(), nowMs: 0 },
    wanted: { ...wanted, complete: given.complete ?? true },
    ...given,
  });
  const ids = (models: { id: string }[]) => models.map(({ id }) => id);
  return { pull: ids(pull), retell: ids(retell), ...rest };
};
const NOTHING = { pull: [], retell: [], cancel: [], remove: [] };

test("what is missing is pulled, what is too much is removed", () => {
  const disk = [lying("a"), lying("old")];
  expect(planned({ ids: ["a", "b"], disk })).toEqual({ ...NOTHING, pull: ["b"], remove: ["old"] });
});

test("what a person placed stays, and is not replaced by another revision", () => {
  const disk = [
    lying("mine", { synced: false, revision: undefined }),
    lying("a", { synced: false, revision: "r0" }),
  ];
  expect(planned({ ids: ["a"], disk })).toEqual(NOTHING);
});

test("a list that is not complete removes nothing and ends no pull", () => {
  const given = { ids: [], disk: [lying("a")], running: ["b"] };
  expect(planned({ ...given, complete: false })).toEqual(NOTHING);
  expect(planned(given)).toEqual({ ...NOTHING, cancel: ["b"], remove: ["a"] });
});

test("another revision, and a model of which files are gone, is pulled again", () => {
  const disk = [lying("a", { revision: "r0" }), lying("b", { whole: false })];
  expect(planned({ ids: ["a", "b"], disk }).pull).toEqual(["a", "b"]);
});

test("another chat template is taken without another pull, a person's model keeps its own", () => {
  const wanted = { models: [model("a", "r1", "t"), model("b"), model("c", "r1", "t")] };
  const disk = [
    lying("a"),
    lying("b", { template: "old" }),
    lying("c", { synced: false }),
    lying("d", { template: "t" }),
  ];
  const given = { wanted: { ...wanted, complete: false }, disk };
  expect(planned(given)).toEqual({ ...NOTHING, retell: ["a", "b"] });
  const other = { ...given, wanted: { models: [model("a", "r2", "t")], complete: false } };
  expect(planned(other)).toEqual({ ...NOTHING, pull: ["a"] });
});

test("what is being pulled is not pulled twice", () => {
  expect(planned({ ids: ["a"], running: ["A"] })).toEqual(NOTHING);
});

test("what failed is tried again later, and at once in another revision", () => {
  const attempts = new Map([["a", { revision: "r1", nextMs: 1000 }]]);
  expect(planned({ ids: ["a"], attempts, nowMs: 999 }).pull).toEqual([]);
  expect(planned({ ids: ["a"], attempts, nowMs: 1000 }).pull).toEqual(["a"]);
  const wanted = { models: [model("a", "r2")], complete: true };
  expect(planned({ wanted, attempts }).pull).toEqual(["a"]);
});

test("whatever lies where: nothing of a person's and nothing wanted is ever removed", () => {
  const id = fc.constantFrom("a", "A", "b", "org/m", "org/M");
  const disk = fc.array(
    fc.record({
      ...{ id, whole: fc.boolean(), synced: fc.boolean() },
      revision: fc.constantFrom("r1", "r0", undefined),
      template: fc.constantFrom(null, "t"),
    }),
  );
  const given = fc.record({ ids: fc.uniqueArray(id), disk, complete: fc.boolean() });
  fc.assert(
    fc.property(given, ({ ids, disk: files, complete }) => {
      const { remove, pull } = planned({ ids, disk: files, complete });
      const wanted = ids.map((one) => one.toLowerCase());
      for (const one of remove) {
        expect(wanted).not.toContain(one.toLowerCase());
        expect(files.some((file) => file.id === one && file.synced)).toBe(true);
      }
      if (!complete) expect(remove).toEqual([]);
      expect(ids).toEqual(expect.arrayContaining(pull));
    }),
  );
});

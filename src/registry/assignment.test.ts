import { expect, test } from "bun:test";
import { isAssigned } from "./assignment.ts";

const NODES = ["a", "b", "c", "d"];

function assigned(id: string, given: { nodes?: string[]; replicas?: number }, known = NODES) {
  const placement = { id, nodes: given.nodes ?? null, replicas: given.replicas ?? null };
  return known.filter((node) => isAssigned(placement, node, known));
}

test("without a word every node has every model", () => {
  expect(assigned("m", {})).toEqual(NODES);
});

test("nodes that are named have it, others not", () => {
  expect(assigned("m", { nodes: ["b", "z"] })).toEqual(["b"]);
});

test("replicas are that many, as long as there are nodes", () => {
  for (let i = 0; i < 50; i += 1) {
    expect(assigned(`m${i}`, { replicas: 2 })).toHaveLength(2);
    expect(assigned(`m${i}`, { replicas: 9 })).toEqual(NODES);
    const among = assigned(`m${i}`, { replicas: 1, nodes: ["b", "c"] });
    expect(among).toHaveLength(1);
    expect(["b", "c"]).toContain(among[0] ?? "");
  }
});

test("models spread over the nodes, and stay where they are when a node comes", () => {
  const models = Array.from({ length: 400 }, (_, i) => `hf/acme/model-${i}`);
  const before = models.map((id) => assigned(id, { replicas: 1 })[0] ?? "");
  for (const node of NODES) {
    const share = before.filter((one) => one === node).length;
    expect(share).toBeGreaterThan(60);
    expect(share).toBeLessThan(140);
  }
  const after = models.map((id) => assigned(id, { replicas: 1 }, [...NODES, "e"])[0] ?? "");
  expect(models.filter((_, i) => after[i] !== before[i] && after[i] !== "e")).toEqual([]);
});

test("a node that is not known yet is one of them", () => {
  expect(isAssigned({ id: "m", nodes: null, replicas: 5 }, "new", NODES)).toBe(true);
});

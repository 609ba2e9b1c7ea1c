import type { EndpointLoad } from "../../../wire/host.ts";

/** A slot: the model that it works for, `""` of one that nobody told, null while it is free. */
export type Cell = string | null;

/**
 * Which slots are lit. A request keeps its cell while it runs, so that cells go on and off without
 * moving: each model keeps the first of its cells, and what it has more takes the first free ones.
 */
export function litCells(
  before: readonly Cell[],
  { active, models }: Pick<EndpointLoad, "active" | "models">,
  slots: number,
): Cell[] {
  const left = countsOf({ active, models });
  const cells: Cell[] = Array.from({ length: Math.max(slots, active, before.length) }, (_, i) => {
    const model = before[i] ?? null;
    const count = model === null ? 0 : (left.get(model) ?? 0);
    if (model === null || count === 0) return null;
    left.set(model, count - 1);
    return model;
  });
  const waiting = [...left].flatMap(([model, count]) => Array<string>(count).fill(model));
  for (const [i, cell] of cells.entries()) if (cell === null) cells[i] = waiting.shift() ?? null;
  // Beyond its slots it has only those that were begun before there were fewer.
  while (cells.length > slots && cells.at(-1) === null) cells.pop();
  return cells;
}

/** How many cells each model has; those of which no model is told count as `""`. */
function countsOf({ active, models }: Pick<EndpointLoad, "active" | "models">) {
  const counts = new Map<string, number>();
  let told = 0;
  for (const [model, count] of Object.entries(models)) {
    const shown = Math.min(count, active - told);
    if (shown > 0) counts.set(model, shown);
    told += Math.max(0, shown);
  }
  if (active > told) counts.set("", active - told);
  return counts;
}

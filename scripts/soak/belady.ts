/** What clients ask for, one request after the other: for each client the models in its order. */
export type Sequences = readonly (readonly string[])[];

/**
 * The fewest loads after which an order of requests is served with room for `room` models: Belady's
 * MIN. Who is ended is who is needed again last, which only somebody can know who sees the future.
 * Source: L. A. Belady, "A study of replacement algorithms for a virtual-storage computer", 1966.
 */
export function fewestLoads(order: readonly string[], room: number): number {
  return batchedLoads([order], room);
}

/**
 * The loads of clients that each wait for an answer before they ask again, with room for `room`
 * models and a schedule that knows what they will ask. As long as anybody asks for a model that is
 * loaded, he is served, which costs no load; so all who wait for a model are served by one load of
 * it. Then the model is loaded that somebody has waited for longest, which is fair, in place of
 * the one that everybody needs again last (Belady's MIN). Serving takes no time here.
 */
export function batchedLoads(sequences: Sequences, room: number): number {
  const at = sequences.map(() => 0);
  const loaded = new Set<string>();
  /** Clients that wait, those that have waited longest first. */
  let waiting = sequences.map((_, client) => client);
  const wanted = (client: number) => sequences[client]?.[at[client] ?? 0];
  for (let loads = 0; ; loads += 1) {
    const blocked: number[] = [];
    const served: number[] = [];
    for (const client of waiting) {
      const before = at[client];
      for (let model = wanted(client); model !== undefined; model = wanted(client)) {
        if (!loaded.has(model)) break;
        at[client] = (at[client] ?? 0) + 1;
      }
      if (wanted(client) !== undefined) (at[client] === before ? blocked : served).push(client);
    }
    waiting = [...blocked, ...served];
    const [first] = waiting;
    const next = first === undefined ? undefined : wanted(first);
    if (next === undefined) return loads;
    if (loaded.size >= room) loaded.delete(neededLast(loaded, { sequences, at }));
    loaded.add(next);
  }
}

/** The model that all clients need again last, by how many requests they make before. */
function neededLast(
  models: Iterable<string>,
  { sequences, at }: { sequences: Sequences; at: readonly number[] },
): string {
  const distance = (model: string) =>
    Math.min(
      ...sequences.map((sequence, client) => {
        const next = sequence.indexOf(model, at[client] ?? 0);
        return next < 0 ? Number.POSITIVE_INFINITY : next - (at[client] ?? 0);
      }),
    );
  const byDistance = [...models].map((model) => ({ model, distance: distance(model) }));
  const [last] = byDistance.sort((a, b) => b.distance - a.distance);
  if (last === undefined) throw new Error("there is room for no model");
  return last.model;
}

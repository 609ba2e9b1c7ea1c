import { importsOf, resolved } from "./imports.ts";
import { type Breach, isProduction, type Source } from "./source.ts";

/** Which files of the repository each file imports, types included, with the line of it. */
type ImportGraph = Map<string, Map<string, number>>;

/** The imports between these files; what is not among them is left out. */
function graphOf(sources: Source[]): ImportGraph {
  const paths = new Set(sources.map(({ path }) => path));
  const graph: ImportGraph = new Map();
  for (const { path, text } of sources) {
    const imports = new Map<string, number>();
    for (const { line, specifier } of importsOf(text)) {
      const target = specifier.startsWith(".") ? resolved(path, specifier) : "";
      if (paths.has(target) && target !== path) imports.set(target, line);
    }
    graph.set(path, imports);
  }
  return graph;
}

/** Every circle of imports, as one breach at the import that closes it. */
export function importCircles(sources: Source[]): Breach[] {
  const graph = graphOf(sources.filter(({ path }) => path.startsWith("src/")));
  return tangles(graph).map((files) => {
    const circle = shortestCircle(graph, files);
    const [file = "", next = ""] = circle;
    const line = graph.get(file)?.get(next) ?? 0;
    const text = `${circle.join(" → ")} (${files.length} files hang together)`;
    return { file, line, rule: "import circle", text };
  });
}

/** The groups of two files or more that reach each other (Tarjan, SIAM J. Comput. 1972). */
function tangles(graph: ImportGraph): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): number => {
    const own = index.size;
    index.set(file, own);
    stack.push(file);
    let lowest = own;
    for (const next of graph.get(file)?.keys() ?? []) {
      if (!index.has(next)) lowest = Math.min(lowest, visit(next));
      else if (stack.includes(next)) lowest = Math.min(lowest, index.get(next) ?? own);
    }
    low.set(file, lowest);
    if (lowest === own) {
      const group = stack.splice(stack.indexOf(file));
      if (group.length > 1) found.push(group.sort());
    }
    return lowest;
  };
  for (const file of [...graph.keys()].sort()) if (!index.has(file)) visit(file);
  return found;
}

/** The shortest way from one of these files back to itself, its start at both ends. */
function shortestCircle(graph: ImportGraph, files: string[]): string[] {
  const ways = files.map((file) => wayBack(graph, file)).sort((a, b) => a.length - b.length);
  return ways[0] ?? [];
}

function wayBack(graph: ImportGraph, start: string): string[] {
  let ways = [[start]];
  const seen = new Set<string>();
  while (ways.length > 0) {
    const longer: string[][] = [];
    for (const way of ways) {
      for (const next of graph.get(way.at(-1) ?? "")?.keys() ?? []) {
        if (next === start) return [...way, next];
        if (seen.has(next)) continue;
        seen.add(next);
        longer.push([...way, next]);
      }
    }
    ways = longer;
  }
  return [];
}

/** Lines of a production file: how many there are on average. */
export function meanLines(sources: Source[]): number {
  const files = sources.filter(({ path }) => isProduction(path));
  const lines = files.reduce((sum, { text }) => sum + text.trimEnd().split("\n").length, 0);
  return lines / Math.max(files.length, 1);
}

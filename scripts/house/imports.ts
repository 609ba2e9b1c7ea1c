import { type Breach, isTest, lineAt, type Source, withoutComments } from "./source.ts";

/** A module that is imported, and on which line. */
export interface Import {
  line: number;
  specifier: string;
}

/** The modules that a file imports, statically or dynamically. */
export function importsOf(text: string): Import[] {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)"([^"\n]+)"/gm;
  const code = withoutComments(text);
  return [...code.matchAll(pattern)].map((match) => ({
    line: lineAt(code, match.index + match[0].length),
    specifier: match[1] ?? "",
  }));
}

/** What only one folder may import. */
const EXCLUSIVE: Record<string, string> = {
  "bun:ffi": "src/engine/",
  "bun:sqlite": "src/db/engine/",
};

/** Folders of src/, lowest first; a folder may import from its own rank where it is named. */
const RANKS: Record<string, number> = {
  lib: 0,
  wire: 1,
  config: 2,
  http: 3,
  db: 4,
  model: 4,
  storage: 5,
  translation: 5,
  engine: 5,
  registry: 6,
  auth: 6,
  dashboard: 6,
  balancer: 7,
  node: 7,
  cli: 8,
  main: 9,
};

/** The order of these folders as CONTRIBUTING.md writes it, highest first: `main → {a, b} → …`. */
export function layerOrder(folders: string[]): string {
  const known = Object.keys(RANKS).filter((name) => folders.includes(name));
  const ranks = [...new Set(known.map((name) => RANKS[name] ?? 0))].sort((a, b) => b - a);
  const layers = ranks.map((rank) => {
    const names = known.filter((name) => RANKS[name] === rank);
    return names.length === 1 ? names.join() : `{${names.join(", ")}}`;
  });
  return layers.join(" → ");
}

/** The imports of one file that point where they must not. */
export function forbiddenImports({ path, text }: Source): Omit<Breach, "file">[] {
  return importsOf(text).flatMap(({ line, specifier }) => {
    const text = whyForbidden(path, specifier);
    return text === undefined ? [] : [{ line, rule: "imports", text }];
  });
}

function whyForbidden(path: string, specifier: string): string | undefined {
  const owner = EXCLUSIVE[specifier];
  if (owner !== undefined) {
    const fits = path.startsWith(owner) || isTest(path) || !path.startsWith("src/");
    return fits ? undefined : `${specifier} belongs to ${owner}`;
  }
  if (!specifier.startsWith(".")) return undefined;
  if (!/\.\w+$/.test(specifier) || /\.jsx?$/.test(specifier)) {
    return `${specifier} needs its file's own ending, e.g. .ts`;
  }
  const target = resolved(path, specifier);
  if (path.startsWith("src/") && target.startsWith("specs/")) return "src must not import specs";
  if (isTest(path)) return undefined;
  if (path.startsWith("src/") && isTest(target)) return `only tests import ${target}`;
  return whyAboveItself(folderOf(path), folderOf(target));
}

function whyAboveItself(from: string | undefined, to: string | undefined): string | undefined {
  if (from === undefined || to === undefined || from === to) return undefined;
  if (from === "dashboard") {
    const isForBrowsers = to === "wire" || to === "lib";
    return isForBrowsers ? undefined : `dashboard imports ${to}, neither wire nor lib`;
  }
  const [low, high] = [RANKS[to], RANKS[from]];
  if (low === undefined || high === undefined) {
    return `the folder src/${low === undefined ? to : from} has no place yet`;
  }
  return low < high ? undefined : `${from} must not import ${to}`;
}

/** The path in the repository that a relative import in a file leads to. */
export function resolved(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

/** The folder of src/ that a file belongs to; `main` for src/main.ts, undefined elsewhere. */
function folderOf(path: string): string | undefined {
  const parts = path.split("/");
  if (parts[0] !== "src") return undefined;
  return parts.length === 2 ? parts[1]?.replace(/\.ts$/, "") : parts[1];
}

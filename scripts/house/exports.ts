import { EXPORTS_KEPT, ONE_IDEA_AT_TWO_DOORS } from "./exceptions.ts";
import { resolved } from "./imports.ts";
import {
  type Breach,
  isProduction,
  isScript,
  isTest,
  lineAt,
  type Source,
  withoutComments,
} from "./source.ts";

/** A name that a file exports. */
interface Export {
  name: string;
  /** Whether it is a type, or a value that bears the name of its type. */
  isType: boolean;
  line: number;
}

const DECLARED = new RegExp(
  [
    /^export\s+(?:declare\s+|default\s+|abstract\s+|async\s+)*/.source,
    /(function\*?|class|const|let|interface|type)\s+([\w$]+)/.source,
  ].join(""),
  "gm",
);

/** The names that a file declares and exports; a value and a type of one name are one. */
export function exportsOf(text: string): Export[] {
  const code = withoutComments(text);
  const found = new Map<string, Export>();
  for (const match of code.matchAll(DECLARED)) {
    const [, keyword = "", name = ""] = match;
    const { line, isType = false } = found.get(name) ?? { line: lineAt(code, match.index) };
    found.set(name, { name, line, isType: isType || /^(interface|type)$/.test(keyword) });
  }
  return [...found.values()];
}

/**
 * Names that two files of src/ export, but for those that are the same idea at two doors. What runs
 * in browsers is another program than the rest: the two only share `wire` and `lib`.
 */
export function namesTwice(sources: Source[]): Breach[] {
  const isForBrowsers = ({ path }: Source) => path.startsWith("src/dashboard/");
  const isShared = ({ path }: Source) => /^src\/(wire|lib)\//.test(path);
  const rest = sources.filter((source) => !isForBrowsers(source));
  // Where a name stands twice, the one that comes later is told.
  const ofBrowsers = [...sources.filter(isShared), ...sources.filter(isForBrowsers)];
  const inBrowsers = twiceAmong(ofBrowsers).filter(({ file }) => file.startsWith("src/dashboard/"));
  return [...twiceAmong(rest), ...inBrowsers];
}

function twiceAmong(sources: Source[]): Breach[] {
  const homes = new Map<string, { file: string; line: number }[]>();
  for (const { path, text } of sources) {
    if (!path.startsWith("src/") || !isScript(path)) continue;
    for (const { name, line } of exportsOf(text)) {
      homes.set(name, [...(homes.get(name) ?? []), { file: path, line }]);
    }
  }
  return [...homes].flatMap(([name, places]) => {
    const [first, ...others] = places;
    if (first === undefined || Object.hasOwn(ONE_IDEA_AT_TWO_DOORS, name)) return [];
    return others.map(({ file, line }) => {
      return { file, line, rule: "name twice", text: `${name} also stands in ${first.file}` };
    });
  });
}

/** Which names of which file each file imports. */
type NamedImports = Map<string, Set<string>>;

/** The names that a file imports from others, by file; of a lazy import, all that it names. */
function namedImports({ path, text }: Source, others: Source[]): NamedImports {
  const code = withoutComments(text);
  const found: NamedImports = new Map();
  const add = (specifier: string, names: string[]) => {
    if (!specifier.startsWith(".")) return;
    const file = resolved(path, specifier);
    found.set(file, new Set([...(found.get(file) ?? []), ...names]));
  };
  const named =
    /\b(?:import|export)\s+(?:type\s+)?(?:[\w$]+\s*,\s*)?\{([^}]*)\}\s*from\s*"([^"]+)"/g;
  for (const [, list = "", specifier = ""] of code.matchAll(named)) {
    const names = list.split(",").map((part) => part.trim().replace(/^type\s+/, ""));
    add(
      specifier,
      names.map((part) => part.split(/\s+as\s+/)[0] ?? ""),
    );
  }
  const whole = /\bimport\s*\(\s*"([^"]+)"|\bimport\s+\*\s+as\s+[\w$]+\s+from\s*"([^"]+)"/g;
  for (const [, lazy, starred] of code.matchAll(whole)) {
    const specifier = lazy ?? starred ?? "";
    const target = others.find((other) => other.path === resolved(path, specifier));
    const names = exportsOf(target?.text ?? "").map(({ name }) => name);
    add(
      specifier,
      names.filter((name) => new RegExp(`\\b${name}\\b`).test(code)),
    );
  }
  return found;
}

/**
 * Exported names that no other file of the program imports, be it that nothing does or that tests
 * do. A type may stand in what its file exports, and a test may try what its file uses itself.
 */
export function unreachedExports(sources: Source[]): Breach[] {
  const scripts = sources.filter(({ path }) => isScript(path));
  const { byProgram, byAny } = importedNames(scripts);
  return scripts.flatMap(({ path, text }) => {
    const code = withoutComments(text);
    return exportsOf(text).flatMap(({ name, line, isType }) => {
      const key = `${path}:${name}`;
      if (byProgram.has(key) || Object.hasOwn(EXPORTS_KEPT, key)) return [];
      if (byAny.has(key) && !isProduction(path)) return [];
      const isUsedHere = code.split(new RegExp(`(?<![\\w$])${name}(?![\\w$])`)).length > 2;
      if (isUsedHere && (isType || byAny.has(key))) return [];
      const rule = isUsedHere ? "needless export" : "unreached";
      const whom = byAny.has(key) ? "only tests import" : "nothing imports";
      return [{ file: path, line, rule, text: `${whom} ${name}` }];
    });
  });
}

/** What is imported, as `file:name`: by the program and what builds it, and by whatever else. */
function importedNames(scripts: Source[]): Record<"byProgram" | "byAny", Set<string>> {
  const byProgram = new Set<string>();
  const byAny = new Set<string>();
  for (const source of scripts) {
    const isProgram =
      !isTest(source.path) && !/^scripts\/(bench|smoke|fuzz|leak)/.test(source.path);
    for (const [file, names] of namedImports(source, scripts)) {
      for (const name of names) {
        byAny.add(`${file}:${name}`);
        if (isProgram) byProgram.add(`${file}:${name}`);
      }
    }
  }
  return { byProgram, byAny };
}

import { dirname } from "node:path";
import { type Breach, lineAt, type Source } from "./source.ts";

/** Files that pages name although they are gone, and pages of specs/ that name no test. */
export function pageReferences(sources: Source[]): Breach[] {
  const paths = new Set(sources.flatMap(({ path }) => [path, ...foldersOf(path)]));
  return sources.flatMap(({ path, text }) => {
    if (!path.endsWith(".md")) return [];
    const tests = [...text.matchAll(TEST)];
    const named = [
      ...text.matchAll(PATH),
      ...tests.filter(({ 1: name = "" }) => !PLACE.test(name)),
    ];
    const gone = named.flatMap(({ 0: whole, 1: name = "", index }) => {
      const isThere = paths.has(name) || [...paths].some((other) => other.endsWith(`/${name}`));
      if (isThere) return [];
      const line = lineAt(text, index + whole.indexOf(name));
      return [{ file: path, line, rule: "pages", text: `${name} is not there` }];
    });
    const isProved = tests.length > 0 || /`src\/[\w/]+`/.test(text);
    if (!path.startsWith("specs/") || path.endsWith("README.md") || isProved) return gone;
    return [...gone, { file: path, line: 0, rule: "pages", text: "names no test that proves it" }];
  });
}

const PLACE = /^(src|specs|scripts)\//;
const PATH = /`((?:src|specs|scripts|docs|native)\/[\w./-]*\w)\/?`/g;
const TEST = /\b([\w./-]+\w\.(?:test|spec)\.ts)\b/g;

function foldersOf(path: string): string[] {
  const folder = dirname(path);
  return folder === "." ? [] : [folder, ...foldersOf(folder)];
}

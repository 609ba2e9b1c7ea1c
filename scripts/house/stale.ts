import { EXPORTS_KEPT, MEMBERS_KEPT, ONE_IDEA_AT_TWO_DOORS } from "./exceptions.ts";
import { exportsOf } from "./exports.ts";
import { type Breach, isScript, type Source } from "./source.ts";

/** Exceptions from the rules whose name is gone, or stands in one file only by now. */
export function staleExceptions(sources: Source[]): Breach[] {
  const scripts = sources.filter(({ path }) => isScript(path));
  const homes = new Map<string, string[]>();
  for (const { path, text } of scripts) {
    for (const { name } of exportsOf(text)) homes.set(name, [...(homes.get(name) ?? []), path]);
  }
  const twice = (name: string) => (homes.get(name) ?? []).filter(inSource).length > 1;
  const exported = (key: string) => {
    const [file = "", name = ""] = key.split(":");
    return (homes.get(name) ?? []).includes(file);
  };
  const member = (key: string) => {
    const [className, name] = key.split(".");
    const pattern = new RegExp(`\\bclass ${className}\\b[^]*\\b${name}\\b`);
    return scripts.some(({ text }) => pattern.test(text));
  };
  const stale = [
    ...Object.keys(ONE_IDEA_AT_TWO_DOORS).filter((name) => !twice(name)),
    ...Object.keys(EXPORTS_KEPT).filter((key) => !exported(key)),
    ...Object.keys(MEMBERS_KEPT).filter((key) => !member(key)),
  ];
  const file = "scripts/house/exceptions.ts";
  return stale.map((name) => ({ file, line: 0, rule: "exceptions", text: `${name} needs none` }));
}

function inSource(path: string): boolean {
  return path.startsWith("src/");
}

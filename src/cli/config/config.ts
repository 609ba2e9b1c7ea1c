import { existsSync } from "node:fs";
import { effectiveSettings } from "../../config/effective.ts";
import type { Configuration } from "../../config/precedence.ts";
import { colorsFor } from "../terminal/color.ts";
import { printJson, printText } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";

/** Prints the effective settings and where each came from, keys masked. */
export function printConfig(loaded: Configuration, json: boolean): void {
  const rows = effectiveSettings(loaded);
  if (json) {
    const entries = rows.map(({ name, value, unit, origin }) => [
      name,
      { value, ...(unit === undefined ? {} : { unit }), source: origin.source, from: origin.name },
    ]);
    printJson(Object.fromEntries(entries));
    return;
  }
  const { bold, dim } = colorsFor(process.stdout);
  const cells = rows.flatMap(({ name, text, origin }) => {
    const given = origin.source !== "default";
    return text
      .split("\n")
      .map((line, i) => [
        i === 0 ? name : "",
        given ? bold(line) : line,
        i === 0 ? dim(origin.source === "file" ? "config.json" : origin.name) : "",
      ]);
  });
  const state = existsSync(loaded.file) ? "" : " (does not exist)";
  printText(`${table(cells).join("\n")}\n\n${dim(`File: ${loaded.file}${state}`)}\n`);
}

// The formula for Homebrew and the manifests for winget, of a release that is made:
//   bun scripts/packages/manifests.ts --release dist/release --out dist/packages
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import pkg from "../../package.json" with { type: "json" };
import { errorMessage } from "../../src/lib/errormessage.ts";
import { releaseFiles } from "../release/files.ts";

const FOLDERS = ["homebrew", "winget"];

interface ManifestOptions {
  version: string;
  /** When the release was made. */
  date: Date;
  /** What `SHA256SUMS` of the release says. */
  sums: string;
}

/**
 * Fills templates, by their paths. `$NAME` is a value of the release; of each executable there are
 * its file, as `$LINUX_X64`, and `$LINUX_X64_SHA256`. Throws for a sum that is missing, and for
 * names that there are not.
 */
export function fillTemplates(
  templates: Record<string, string>,
  options: ManifestOptions,
): Record<string, string> {
  const values = valuesOf(options);
  const filled = Object.entries(templates).map(([path, text]) => {
    const content = text.replace(/\$([A-Z][A-Z0-9_]*)/g, (_, name: string) => {
      const value = values.get(name);
      if (value === undefined) throw new Error(`Filling ${path}: there is no $${name}.`);
      // winget's are written in capitals.
      return path.startsWith("winget/") && name.endsWith("_SHA256") ? value.toUpperCase() : value;
    });
    return [path, content] as const;
  });
  return Object.fromEntries(filled);
}

function valuesOf({ version, date, sums }: ManifestOptions): Map<string, string> {
  const sumOf = new Map(
    sums.split("\n").flatMap((line) => {
      const [, sum = "", name = ""] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
      return sum === "" ? [] : [[name, sum] as const];
    }),
  );
  const values = new Map([
    ["VERSION", version],
    ["DATE", date.toISOString().slice(0, 10)],
    ["URL", `${pkg.repository}/releases/download/v${version}`],
  ]);
  for (const [variant, file] of Object.entries(releaseFiles(version).executables)) {
    const name = variant.toUpperCase().replaceAll("-", "_");
    values.set(name, file);
    const sum = sumOf.get(file);
    if (sum !== undefined) values.set(`${name}_SHA256`, sum);
  }
  return values;
}

/** The templates of this folder, by their paths. */
export function packageTemplates(): Record<string, string> {
  const paths = FOLDERS.flatMap((folder) => {
    return readdirSync(join(import.meta.dir, folder)).map((name) => `${folder}/${name}`);
  });
  return Object.fromEntries(
    paths.map((path) => [path, readFileSync(join(import.meta.dir, path), "utf8")]),
  );
}

if (import.meta.main) {
  try {
    const { values } = parseArgs({
      options: {
        release: { type: "string", default: "dist/release" },
        version: { type: "string", default: pkg.version },
        out: { type: "string", default: "dist/packages" },
      },
    });
    const { release, version, out } = values;
    const sums = readFileSync(join(release, releaseFiles(version).sums), "utf8");
    const options = { version, sums, date: new Date() };
    for (const [path, text] of Object.entries(fillTemplates(packageTemplates(), options))) {
      const place = join(out, path);
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, text);
      process.stdout.write(`${place}\n`);
    }
  } catch (cause) {
    process.stderr.write(`llmlb: ${errorMessage(cause)}\n`);
    process.exit(1);
  }
}

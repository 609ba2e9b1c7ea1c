// Makes a release of the version of package.json, in dist/release/:
//   npm run release                       builds and tries what it can, and makes what goes along
//   npm run release -- build linux-arm64  only this executable
//   npm run release -- join               only what goes along with the executables that are there
//   npm run release -- notes              what has changed since the release before
//   npm run release -- tag v0.1.0         does this tag name the version of package.json?
//   npm run release -- trace FILE.map     stack traces from the standard input, with their source
// With --key FILE (`npm run feed -- key FILE` makes one) the feed for `llmlb update` is signed, and
// executables believe that key; --release-keys names others that they believe, parted by commas.
import { rm } from "node:fs/promises";
import { join as joinPath, resolve } from "node:path";
import { parseArgs } from "node:util";
import pkg from "../package.json" with { type: "json" };
import { errorMessage } from "../src/lib/errormessage.ts";
import { publicKeyOf, readKeys } from "./feed/signing.ts";
import { ROOT } from "./native/sources.ts";
import { notesOf } from "./release/changelog.ts";
import { buildExecutables, mapsFolder, variantsHere } from "./release/executables.ts";
import { fileNames, variantOf } from "./release/files.ts";
import { checkTag, sectionsOf } from "./release/history.ts";
import { joinRelease } from "./release/papers.ts";
import { tracedText } from "./release/trace.ts";
import { tryExecutables } from "./release/trial.ts";

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      key: { type: "string", multiple: true, default: [] },
      "release-keys": { type: "string" },
      out: { type: "string", default: joinPath(ROOT, "dist/release") },
    },
  });
  const { version } = pkg;
  const out = resolve(values.out);
  const keys = await readKeys(values.key);
  const releaseKeys = values["release-keys"] ?? keys.map(publicKeyOf).join(",");
  const [command = "all", ...names] = positionals;
  switch (command) {
    case "all":
      return await makeAll({ out, version, keys, releaseKeys });
    case "build":
      return await buildExecutables(names.map(variantOf), { out, version, releaseKeys });
    case "join":
      return await join({ out, version, keys });
    case "tag":
      return checkTag(names[0] ?? "", version);
    case "notes":
      return await printNotes(version);
    case "trace":
      return await printTraces(names[0]);
    default:
      throw new Error(
        `Making a release: ${command} is unknown, use build, join, notes, tag or trace.`,
      );
  }
}

interface ReleaseOptions {
  out: string;
  version: string;
  /** Private keys as PEM. */
  keys: readonly string[];
}

async function makeAll(options: ReleaseOptions & { releaseKeys: string }): Promise<void> {
  const { out } = options;
  // What is left of another version would be taken for a part of this one.
  for (const folder of [out, mapsFolder(out)]) await rm(folder, { recursive: true, force: true });
  const variants = variantsHere();
  await buildExecutables(variants, options);
  const notTried = await tryExecutables(variants, options);
  await join(options);
  for (const reason of notTried) say(`not tried: ${reason}`);
}

async function join({ out, version, keys }: ReleaseOptions): Promise<void> {
  const names = await joinRelease({ out, version, date: new Date(), keys });
  process.stdout.write(`${out}: llmlb ${version}\n${names.map((name) => `  ${name}\n`).join("")}`);
  const missing = fileNames(version).filter((name) => !names.includes(name));
  if (missing.length > 0) say(`not in it: ${missing.join(", ")}`);
  if (keys.length === 0) say("there is no feed.json: it needs a key (--key FILE)");
}

async function printNotes(version: string): Promise<void> {
  const [section] = await sectionsOf(ROOT, { version, date: "" });
  if (section !== undefined) process.stdout.write(notesOf(section));
}

async function printTraces(map: string | undefined): Promise<void> {
  if (map === undefined) throw new Error("Reading stack traces: name the file of the source map.");
  const text = await Bun.stdin.text();
  process.stdout.write(tracedText(text, await Bun.file(map).text()));
}

function say(text: string): void {
  process.stderr.write(`llmlb: ${text}\n`);
}

await main(process.argv.slice(2)).catch((cause) => {
  say(errorMessage(cause));
  process.exit(1);
});

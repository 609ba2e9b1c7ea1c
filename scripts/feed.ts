// Feeds for `llmlb update`, and the keys that sign them:
//   npm run feed -- key release.pem                  makes a key; prints its public one
//   npm run feed -- sign --key release.pem --notes notes.md --out out/feed.json \
//     linux-x64=out/llmlb-linux-x64 darwin-arm64=out/llmlb-darwin-arm64
// The executables have to lie beside the feed. A second --key signs with both, while a key goes out
// of use. `npm run build -- --release-keys PUBLIC[,PUBLIC]` makes executables that believe them.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { parseArgs } from "node:util";
import pkg from "../package.json" with { type: "json" };
import { Release } from "../src/cli/update/feed.ts";
import { errorMessage } from "../src/lib/errormessage.ts";
import { digestOf } from "../src/lib/filedigest.ts";
import { newReleaseKey, publicKeyOf, readKeys, signFeed } from "./feed/signing.ts";

async function main([command = "", ...args]: string[]): Promise<void> {
  if (command === "key") return makeKey(args[0]);
  if (command === "sign") return await signRelease(args);
  throw new Error("Use: feed key FILE, or feed sign --key FILE --out feed.json PLATFORM=FILE …");
}

function makeKey(file: string | undefined): void {
  if (file === undefined) throw new Error("Making a key: name the file for it.");
  const { privateKey, publicKey } = newReleaseKey();
  // An older key is never replaced: what it has signed would be lost.
  writeFileSync(file, privateKey, { mode: 0o600, flag: "wx" });
  process.stdout.write(`${publicKey}\n`);
}

async function signRelease(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      key: { type: "string", multiple: true },
      out: { type: "string" },
      notes: { type: "string" },
      version: { type: "string", default: pkg.version },
    },
  });
  const { key: keys = [], out, notes, version } = values;
  if (keys.length === 0 || out === undefined || positionals.length === 0) {
    throw new Error("Signing: --key FILE, --out FILE and PLATFORM=FILE are needed.");
  }
  const files = await Promise.all(positionals.map((text) => fileOf(text, dirname(out))));
  const release = Release.parse({
    ...{ format: 1, version, released_at: new Date().toISOString().slice(0, 10), files },
    ...(notes === undefined ? {} : { notes: readFileSync(notes, "utf8") }),
  });
  const privateKeys = await readKeys(keys);
  writeFileSync(out, signFeed(release, privateKeys));
  const names = privateKeys.map(publicKeyOf).join(", ");
  process.stdout.write(`${out}: llmlb ${version}, ${files.length} files, signed by ${names}\n`);
}

async function fileOf(text: string, folder: string) {
  const at = text.indexOf("=");
  const path = text.slice(at + 1);
  if (at < 1) throw new Error(`Signing ${text}: it must be PLATFORM=FILE.`);
  const url = relative(folder, path).replaceAll("\\", "/");
  if (url.startsWith("..")) throw new Error(`Signing ${path}: it must lie beside the feed.`);
  return { platform: text.slice(0, at), url, ...(await digestOf(path)) };
}

try {
  await main(process.argv.slice(2));
} catch (cause) {
  process.stderr.write(`llmlb: ${errorMessage(cause)}\n`);
  process.exit(1);
}

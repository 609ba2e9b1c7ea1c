import { existsSync } from "node:fs";
import { join } from "node:path";
import { newReleaseKey, publicKeyOf } from "../feed/signing.ts";
import { hostTarget } from "../native/target.ts";
import { buildExecutables } from "../release/executables.ts";
import { variantOf } from "../release/files.ts";
import { joinRelease } from "../release/papers.ts";

/**
 * Makes releases of these versions, each in a folder of its own, signed with one key. Those that
 * are there are left as they are.
 */
export async function makeReleases(folder: string, versions: readonly string[]): Promise<void> {
  if (versions.every((version) => existsSync(join(folder, version, "feed.json")))) return;
  const { privateKey } = newReleaseKey();
  const variant = variantOf(hostTarget().name);
  for (const version of versions) {
    const out = join(folder, version);
    await buildExecutables([variant], { out, version, releaseKeys: publicKeyOf(privateKey) });
    await joinRelease({ out, version, date: new Date(), keys: [privateKey] });
  }
}

/** Serves a folder on loopback, as the public home of releases does. */
export function serveFolder(folder: string): Bun.Server<undefined> {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async ({ url }) => {
      const path = join("/", decodeURIComponent(new URL(url).pathname));
      const file = Bun.file(join(folder, path));
      return (await file.exists()) ? new Response(file) : new Response("", { status: 404 });
    },
  });
}

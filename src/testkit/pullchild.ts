import { Puller } from "../storage/pull/puller.ts";
import { Manifest } from "../wire/manifest.ts";

/**
 * Pulls all files of a manifest in a process of its own: `bun child.ts ROOT`, with the
 * manifest on standard input. Prints `done`, or the failure's code.
 */
const [root = ""] = process.argv.slice(2);
const manifest = Manifest.parse(await Bun.stdin.json());
const puller = new Puller({
  root,
  hubUrl: "https://huggingface.co",
  origins: ["*"],
  retryLimit: { attemptsMax: 3, firstMs: 1, maxMs: 2 },
});
const files = manifest.artifacts;
const { signal } = new AbortController();
try {
  await puller.pull({ manifest, files, quantization: null, placedBy: "sync", signal }).result;
  console.log("done");
} catch (error) {
  console.log(error instanceof Error && "code" in error ? error.code : String(error));
}
process.exit(0);

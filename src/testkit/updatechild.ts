import { update } from "../cli/update/update.ts";

/**
 * Updates a program in a process of its own, which is killed before a step: `bun updatechild.ts`
 * with `{path, version, key, feed, home, killAt}` as JSON. Prints the error, if there is one.
 */
const [text = "{}"] = process.argv.slice(2);
const { path, version, key, feed, home, killAt } = JSON.parse(text) as Record<string, string>;
try {
  const code = await update({
    program: {
      ...{ path: path ?? "", version: version ?? "" },
      ...{ platform: "test-x64", keys: [key ?? ""] },
    },
    ...{ feed: feed ?? null, home: home ?? "", signal: new AbortController().signal },
    onStep: (step) => {
      if (step === killAt) process.kill(process.pid, "SIGKILL");
    },
  });
  process.exit(code);
} catch (cause) {
  console.error(String(cause));
  process.exit(1);
}

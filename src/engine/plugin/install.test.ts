import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../lib/log.ts";
import { ownDirectory } from "../library.ts";
import { chosenPlugin, installedPlugins } from "./choice.ts";
import { installPlugin } from "./install.ts";
import { type PluginPin, pluginFile, pluginFolder, pluginPin } from "./pin.ts";

/** A backend that loads everywhere and has no device of its own. */
const RPC = "libggml-rpc.so";

const pin = pluginPin("vulkan");

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "llmlb-plugin-"));
});
afterEach(() => rmSync(home, { recursive: true }));

async function options() {
  return { own: await ownDirectory(home), home, log: createLogger({ level: "silent" }) };
}

function pinFor(library: Uint8Array | Buffer): PluginPin {
  const sha512 = new Bun.CryptoHasher("sha512").update(library).digest("hex");
  return { package: "a", version: "1", library: "b/c.so", needs: [], sha512 };
}

// Elsewhere there are no backends to install.
test.skipIf(pin === undefined)(
  "a library that is not the pinned one is not put there",
  async () => {
    if (pin === undefined) return;
    const library = new Blob(["another one"]);
    const made = installPlugin({ ...(await options()), name: "vulkan", pin, library });
    expect(made).rejects.toThrow("SHA-512");
    await made.catch(() => undefined);
    expect(readdirSync(pluginFolder(home, "vulkan"))).toEqual([]);
  },
);

test.skipIf(pin === undefined)("a backend that cannot be used is removed again", async () => {
  const { own, ...rest } = await options();
  const junk = new TextEncoder().encode("no library");
  const rpc = await Bun.file(join(own, RPC)).bytes();
  for (const [library, words] of [
    [junk, "libggml-vulkan.so"],
    [rpc, "mesa-vulkan-drivers"],
  ] as const) {
    const trial = await installPlugin({
      ...{ ...rest, own, name: "vulkan", pin: pinFor(library), library: new Blob([library]) },
    });
    expect(trial).toEqual({ problem: expect.stringContaining(words) });
    expect(existsSync(pluginFolder(home, "vulkan"))).toBe(false);
  }
});

test.skipIf(pin === undefined)(
  "what cannot be used is passed over, each with its reason",
  async () => {
    const { own } = await options();
    const put = (file: string | undefined, bytes: Uint8Array | string) => {
      mkdirSync(join(file ?? "", ".."), { recursive: true });
      writeFileSync(file ?? "", bytes);
    };
    const older = join(home, "native", "v0.0.1", "vulkan", "libggml-vulkan.so");
    put(older, "of another llama.cpp");
    expect(installedPlugins(home)).toEqual([]);
    put(pluginFile(home, "vulkan"), await Bun.file(join(own, RPC)).bytes());
    put(pluginFile(home, "cuda"), "no library");
    expect(installedPlugins(home)).toEqual(["cuda", "vulkan"]);
    const lines: object[] = [];
    const log = createLogger({ level: "silent" });
    log.warn = (fields: object) => void lines.push(fields);
    expect(await chosenPlugin({ own, home, log })).toBeUndefined();
    expect(lines).toEqual([
      { backend: "cuda", reason: expect.stringContaining("libggml-cuda.so") },
      { backend: "vulkan", reason: expect.stringContaining("mesa-vulkan-drivers") },
      { installed: ["cuda", "vulkan"] },
    ]);
    expect(await chosenPlugin({ own, home, log })).toBeUndefined();
    expect(lines).toHaveLength(3);
  },
);

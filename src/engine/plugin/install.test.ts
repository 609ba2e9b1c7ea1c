import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../lib/log.ts";
import { ownDirectory } from "../library.ts";
import { chooseBackend, isInstalled, madeChoice } from "./choice.ts";
import { switchPlugin } from "./embedding.ts";
import { installPlugin } from "./install.ts";
import { type PluginPin, pluginFile, pluginFolder, pluginPin } from "./pin.ts";

// Each trial starts processes.
setDefaultTimeout(60_000);

/** A backend that loads everywhere and has no device of its own. */
const RPC = "libggml-rpc.so";

const pin = pluginPin("vulkan");
// Elsewhere there are no backends to install.
const onLinux = test.skipIf(pin === undefined);

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "llmlb-plugin-"));
});
afterEach(() => rmSync(home, { recursive: true }));

async function options() {
  const log = createLogger({ level: "silent" });
  return { own: await ownDirectory(home), home, log, embedded: [] };
}

function pinFor(library: Uint8Array | Buffer): PluginPin {
  const sha512 = new Bun.CryptoHasher("sha512").update(library).digest("hex");
  const archive = { integrity: "", sha256: "", size_bytes: 0 };
  return { package: "a", version: "1", archive, library: "b/c.so", needs: [], sha512 };
}

/** A log that keeps the fields of what it is told, by level. */
function listeningLog(lines: Record<string, unknown>[]) {
  const log = createLogger({ level: "silent" });
  for (const level of ["debug", "info", "warn"] as const) {
    log[level] = (fields: object, msg?: string) => void lines.push({ level, msg, ...fields });
  }
  return log;
}

onLinux("a library that is not the pinned one is not put there", async () => {
  if (pin === undefined) return;
  const library = new Blob(["another one"]);
  const made = installPlugin({ ...(await options()), name: "vulkan", pin, library });
  expect(made).rejects.toThrow("SHA-512");
  await made.catch(() => undefined);
  expect(readdirSync(pluginFolder(home, "vulkan"))).toEqual([]);
});

onLinux("a backend that cannot be used is removed again, unless it is to be kept", async () => {
  const { own, ...rest } = await options();
  const junk = new TextEncoder().encode("no library");
  const rpc = await Bun.file(join(own, RPC)).bytes();
  for (const [library, words] of [
    [junk, "libggml-vulkan.so"],
    [rpc, "mesa-vulkan-drivers"],
  ] as const) {
    for (const keep of [false, true]) {
      const trial = await installPlugin({
        ...{ ...rest, own, name: "vulkan", pin: pinFor(library), library: new Blob([library]) },
        keep,
      });
      expect(trial).toEqual({ problem: expect.stringContaining(words) });
      expect(existsSync(pluginFolder(home, "vulkan"))).toBe(keep);
    }
  }
});

onLinux("what cannot be used is passed over, each with its reason", async () => {
  const { own, ...rest } = await options();
  const put = (file: string | undefined, bytes: Uint8Array | string) => {
    mkdirSync(join(file ?? "", ".."), { recursive: true });
    writeFileSync(file ?? "", bytes);
  };
  const older = join(home, "native", "v0.0.1", "vulkan", "libggml-vulkan.so");
  put(older, "of another llama.cpp");
  expect(isInstalled(home, "vulkan")).toBe(false);
  put(pluginFile(home, "vulkan"), await Bun.file(join(own, RPC)).bytes());
  put(pluginFile(home, "cuda"), "no library");
  const lines: Record<string, unknown>[] = [];
  const log = listeningLog(lines);
  const host = { vendors: [], hasDriver: false, isNamed: false };
  const skipped = [
    { backend: "cuda", reason: expect.stringContaining("libggml-cuda.so") },
    { backend: "vulkan", reason: expect.stringContaining("mesa-vulkan-drivers") },
  ];
  const choice = { backend: undefined, folder: undefined, skipped };
  expect(madeChoice(home)).toBeUndefined();
  expect<object>(await chooseBackend({ ...rest, own, log, host })).toEqual(choice);
  expect<object | undefined>(madeChoice(home)).toEqual(choice);
  const warnings = skipped.map((one) => ({ level: "warn", msg: "backend.skipped", ...one }));
  expect(lines.filter(({ msg }) => msg === "backend.skipped")).toEqual(warnings);
  const before = lines.length;
  await chooseBackend({ ...rest, own, log, host });
  expect(lines).toHaveLength(before);
});

onLinux("what llmlb brings along is left alone without a GPU, or when it was removed", async () => {
  const { own, ...rest } = await options();
  const embedded = [{ name: "libggml-vulkan.so", source: join(own, RPC) }];
  const lines: Record<string, unknown>[] = [];
  const log = listeningLog(lines);
  const choose = (vendors: string[]) =>
    chooseBackend({
      ...{ ...rest, own, log, embedded, host: { vendors, hasDriver: false, isNamed: false } },
    });
  await choose([]);
  expect(lines.map(({ level }) => level)).not.toContain("warn");
  expect(existsSync(join(home, "native"))).toBe(false);

  await switchPlugin(home, "vulkan", false);
  const { skipped } = await choose(["AMD"]);
  expect(skipped).toMatchObject([{ reason: expect.stringContaining("removed by hand") }]);
  expect(existsSync(pluginFolder(home, "vulkan"))).toBe(false);

  const plugins = join(home, "native", "plugins");
  mkdirSync(plugins);
  writeFileSync(join(plugins, "libggml-cuda.so"), "the user's own");
  await switchPlugin(home, "vulkan", true);
  const [replaced] = (await choose(["AMD"])).skipped;
  expect(replaced?.reason).toContain("native/plugins");
  rmSync(plugins, { recursive: true });

  // It is unpacked where the loader is: what lacks is the GPU.
  const [tried] = (await choose(["AMD"])).skipped;
  const isUnpacked = existsSync(join(pluginFolder(home, "vulkan"), "libggml-vulkan.so"));
  expect(tried?.reason).toContain(isUnpacked ? "mesa-vulkan-drivers" : "loader is missing");
  const warning = { level: "warn", msg: "backend.skipped", ...tried };
  expect(lines.at(-2)).toEqual(warning);
});

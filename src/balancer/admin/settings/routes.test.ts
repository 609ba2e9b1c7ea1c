import { expect, test } from "bun:test";
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FIELD_KEYS } from "../../../config/fields.ts";
import { LLAMA_CPP_VERSION, VERSION } from "../../../config/version.ts";
import { fakeBalancer } from "../../../testkit/balancer.ts";
import { temporaryHome } from "../../../testkit/command.ts";
import { FakeNode } from "../../../testkit/servers/node.ts";
import { NodeList } from "../../../wire/node.ts";
import { SettingsAnswer, StorageAnswer } from "../../../wire/settings.ts";

const KIB = 1024;

test("all settings are told, what for and where from each is, without secrets", async () => {
  const secrets = { openaiApiKey: "sk-never-shown", oidcClientSecret: "sk-never-shown" };
  await using front = await fakeBalancer(
    { a: { url: "http://127.0.0.1:9", apiKey: "sk-x" } },
    secrets,
  );
  const response = await fetch(`${front.url}/api/settings`);
  const text = await response.text();
  expect(text).not.toContain("sk-never-shown");
  expect(text).not.toContain("sk-x");
  const answer = SettingsAnswer.parse(JSON.parse(text));
  // Projectors are told with their models.
  expect(answer.settings).toHaveLength(FIELD_KEYS.length - 1);
  for (const { help } of answer.settings) expect(help.length).toBeGreaterThan(5);
  const byName = new Map(answer.settings.map((setting) => [setting.name, setting]));
  expect(byName.get("openai_api_key")).toMatchObject({ text: "***", secret: true });
  expect(byName.get("google_api_key")).toMatchObject({ text: "none", secret: true });
  expect(byName.get("endpoints")?.text).toBe("a = http://127.0.0.1:9 (key ***)");
  expect(byName.get("home")).toMatchObject({ in_file: false, variable: "LLMLB_HOME" });
  expect(byName.get("engine_args")).toMatchObject({ flags: null, source: "default" });
  const versions = { llmlb: VERSION, bun: Bun.version, llama_cpp: LLAMA_CPP_VERSION };
  expect(answer).toMatchObject({ versions, file_exists: false, warnings: [] });
});

test("what is in the data folder is told with its room, each file once", async () => {
  using home = temporaryHome();
  using models = temporaryHome();
  const files = { "models/m/a.gguf": 64, "models/m/b.gguf": 32, "notes.txt": 1 };
  mkdirSync(join(home.path, "models/m"), { recursive: true });
  for (const [name, kib] of Object.entries(files)) {
    writeFileSync(join(home.path, name), new Uint8Array(kib * KIB).fill(1));
  }
  linkSync(join(home.path, "models/m/a.gguf"), join(home.path, "models/again.gguf"));
  symlinkSync(models.path, join(home.path, "elsewhere"));
  writeFileSync(join(models.path, "c.gguf"), new Uint8Array(8 * KIB).fill(1));
  const modelsDir = models.path;
  await using front = await fakeBalancer({}, { home: home.path, modelsDir });
  const response = await fetch(`${front.url}/api/settings/storage`);
  const { folders } = StorageAnswer.parse(await response.json());
  expect(folders.map(({ path }) => path)).toEqual([home.path, models.path]);
  const [own, other] = folders.map(
    ({ entries }) => new Map(entries.map(({ name, bytes }) => [name, bytes])),
  );
  expect(own?.get("models")).toBeGreaterThanOrEqual(96 * KIB);
  expect(own?.get("models")).toBeLessThan(128 * KIB);
  expect(own?.get("elsewhere")).toBeLessThan(8 * KIB);
  expect(own?.get("lb.db")).toBeGreaterThan(0);
  expect([...(own?.keys() ?? [])].filter((name) => name.endsWith("-wal"))).toEqual([]);
  expect(other?.get("c.gguf")).toBe(8 * KIB);
  for (const { disk_free_bytes, disk_total_bytes, truncated } of folders) {
    expect(disk_total_bytes).toBeGreaterThan(disk_free_bytes);
    expect(truncated).toBe(false);
  }
});

test("nodes tell what they run with, old ones as much as they can; others are none", async () => {
  await using front = await fakeBalancer({ other: "http://127.0.0.1:9" });
  const skipped_backends = [{ backend: "cuda", reason: "its driver is too old" }];
  const versions = { llmlb_version: "9.9.9", bun_version: "1.0.0", llama_cpp_version: "b1" };
  const whole = { ...versions, backend: "vulkan", skipped_backends, gpus: "odd" };
  await using _new = await FakeNode.join(front, "node-10", whole);
  await using _old = await FakeNode.join(front, "node-9", { llmlb_version: "0.1.0" });
  await Promise.all(["node-9", "node-10"].map((name) => front.until(name, "online")));
  const { nodes } = NodeList.parse(await (await fetch(`${front.url}/api/nodes`)).json());
  const none = { skipped_backends: [], gpus: [], devices: [] };
  expect(nodes).toMatchObject([
    {
      ...{ name: "node-9", status: "online", backend: null, ...none },
      versions: { llmlb: "0.1.0", bun: null, llama_cpp: null },
    },
    {
      ...{ name: "node-10", backend: "vulkan", ...none, skipped_backends },
      versions: { llmlb: "9.9.9", bun: "1.0.0", llama_cpp: "b1" },
    },
  ]);
});

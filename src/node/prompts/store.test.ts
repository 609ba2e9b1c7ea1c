import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createLogger } from "../../lib/log.ts";
import { PromptStore } from "./store.ts";

let folder: string;
let now = 0;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "llmlb-prompts-")), "prompts");
});
afterEach(() => rmSync(dirname(folder), { recursive: true, force: true }));

async function opened(): Promise<PromptStore> {
  const store = new PromptStore({
    ...{ folder, log: createLogger({ level: "silent" }) },
    nowMs: () => ++now,
  });
  await store.open();
  return store;
}

const owner = { model: "org/model:Q8_0", fingerprint: "f1" };

async function keep(store: PromptStore, bytes: number, of = owner): Promise<string> {
  const part = await store.create(of);
  writeFileSync(part, Buffer.alloc(bytes));
  await store.keep(of, part, { tokens: 1000, bytes, usPerToken: 7 });
  return part.replace(".part", ".kv");
}

function allFiles() {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile());
}

test("what was kept is there at the next start, for its owner, the latest first", async () => {
  const store = await opened();
  const first = await keep(store, 10);
  const second = await keep(store, 20);
  await keep(store, 30, { ...owner, fingerprint: "f2" });
  await keep(store, 30, { ...owner, model: "other" });
  await store.touch(first);
  const again = await opened();
  expect(again.filesOf(owner).map(({ path }) => path)).toEqual([first, second]);
  expect(again.filesOf(owner)[1]).toMatchObject({ tokens: 1000, bytes: 20, usPerToken: 7 });
  expect(again.files).toHaveLength(4);
});

test("only the user can read what is kept", async () => {
  if (process.platform === "win32") return;
  const file = await keep(await opened(), 10);
  const modes = [folder, dirname(dirname(file)), dirname(file)].map((path) => statSync(path).mode);
  expect(modes.map((mode) => mode & 0o777)).toEqual([0o700, 0o700, 0o700]);
  for (const path of [file, `${file}.json`]) expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("what a crash or a full disk left behind is removed, not what is being written", async () => {
  const store = await opened();
  const whole = await keep(store, 10);
  const cut = await keep(store, 10);
  writeFileSync(cut, "short");
  const unrecorded = await keep(store, 10);
  rmSync(`${unrecorded}.json`);
  const broken = await keep(store, 10);
  writeFileSync(`${broken}.json`, "{");
  const gone = await keep(store, 10);
  rmSync(gone);
  const left = await store.create(owner);
  const old = [cut, unrecorded, broken, `${gone}.json`, left];
  for (const path of old) utimesSync(path, 1, 1);
  const beingWritten = await store.create(owner);
  const again = await opened();
  expect(again.files.map(({ path }) => path)).toEqual([whole]);
  expect(existsSync(beingWritten)).toBe(true);
  expect(allFiles()).toHaveLength(3);
});

test("what another process has kept in the meantime is seen", async () => {
  const store = await opened();
  const file = await keep(await opened(), 10);
  expect(store.filesOf(owner)).toEqual([]);
  await store.refresh(owner);
  expect(store.filesOf(owner).map(({ path }) => path)).toEqual([file]);
});

test("a file that is not as long as was said is not kept", async () => {
  const store = await opened();
  const part = await store.create(owner);
  const kept = store.keep(owner, part, { tokens: 1, bytes: 99, usPerToken: 1 });
  await expect(kept).rejects.toThrow("0 bytes, not 99");
  expect(store.files).toEqual([]);
});

test("room is made of what was unused for longest, whoever's it is", async () => {
  const store = await opened();
  const old = await keep(store, 40, { ...owner, model: "other" });
  const newer = await keep(store, 40);
  await store.makeRoom(10, 100);
  expect(store.files).toHaveLength(2);
  await store.makeRoom(30, 100);
  expect([existsSync(old), existsSync(dirname(old)), existsSync(newer)]).toEqual([
    ...[false, false, true],
  ]);
});

test("a model's prompts go with it, and all when none are wanted", async () => {
  const store = await opened();
  await keep(store, 10);
  await keep(store, 10, { ...owner, fingerprint: "f2" });
  const other = await keep(store, 10, { ...owner, model: "other" });
  await store.removeModel(owner.model);
  expect(store.files.map(({ path }) => path)).toEqual([other]);
  expect(allFiles()).toHaveLength(2);
  await store.clear();
  expect(existsSync(folder)).toBe(false);
});

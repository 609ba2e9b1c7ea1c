import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { loadSettings } from "../src/config/precedence.ts";
import { type Listener, listen } from "../src/http/server/listen.ts";
import { LogBook } from "../src/lib/logbook.ts";
import { openIdentity } from "../src/node/membership/identity.ts";
import { Membership } from "../src/node/membership/membership.ts";
import { createNode, type LlmlbNode } from "../src/node/node.ts";
import { ModelStore } from "../src/storage/modelstore.ts";
import { post } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { FakeEngines } from "../src/testkit/servers/engine.ts";
import { type Hub, startHub } from "../src/testkit/servers/hub/hub.ts";
import { someBytes } from "../src/testkit/servers/hub/samples.ts";
import type { ModelProgress } from "../src/wire/sync.ts";

setDefaultTimeout(120_000);

const REPO = "acme/big-GGUF";
const ID = `hf/${REPO}`;
const FILE = "big-Q8_0.gguf";
const SIZE = 48 * 2 ** 20;

/** A node in this process, as `llmlb node --join` makes it, whose engines are fake. */
class Worker {
  readonly #home = temporaryHome();
  readonly name: string;
  readonly url: string;
  readonly key: string;
  readonly #engines = new FakeEngines();
  readonly #node: LlmlbNode;
  readonly #listener: Listener;
  readonly #membership: Membership;

  constructor(name: string, { front, hub, token }: { front: string; hub: string; token: string }) {
    this.name = name;
    const flags = { mode: "node", home: this.#home.path, hubUrl: hub };
    const { settings } = loadSettings({ flags, env: {} });
    const book = new LogBook({ level: "silent" });
    const { log } = book;
    const identity = openIdentity(this.#home.path);
    this.key = identity.key;
    const credentials = () => {
      const { credential } = this.#membership;
      return credential === undefined ? undefined : { nodeId: identity.node_id, credential };
    };
    const { launch } = this.#engines;
    const balancer = { url: front, credentials };
    const probe = async () => [];
    this.#node = createNode({ settings, book, key: this.key, balancer, launch, probe });
    this.#listener = listen(this.#node.app, { host: "127.0.0.1", port: 0 });
    this.url = this.#listener.url;
    this.#membership = new Membership({
      ...{
        balancer: front,
        token,
        advertise: null,
        fingerprint: null,
        home: this.#home.path,
        identity,
        log,
      },
      onAnnounced: () => this.#node.resync(),
      describe: async () => {
        const models = this.#node.names();
        return { name, version: "0", models, slots: 1 };
      },
    });
  }

  start(): void {
    this.#node.start();
    this.#membership.start({ port: this.#listener.port, fingerprint: undefined });
  }

  async verified() {
    return new ModelStore(join(this.#home.path, "models")).verifiedFile(ID, FILE);
  }

  /** Ends at once, as after a power cut. */
  async close(): Promise<void> {
    await this.#listener.stop(true);
    await this.#membership.leave();
    await this.#node.close();
    this.#engines.close();
    this.#home[Symbol.dispose]();
  }
}

const workers: Worker[] = [];
let hub: Hub | undefined;
let front: Program | undefined;

async function begin(count: number) {
  hub = await startHub();
  await hub.add({ name: REPO, files: { [FILE]: someBytes(SIZE, 7) }, tags: ["gguf"] });
  const env = { HF_ENDPOINT: hub.url };
  front = await Program.start({ mode: "balancer", untilReady: false, env });
  const made = await runProgram(["endpoint", "token", "--uses", String(count)], {
    home: front.home,
  });
  const token = made.stdout.trim();
  for (let i = 1; i <= count; i += 1) {
    const worker = new Worker(`node${i}`, { front: front.url, hub: hub.url, token });
    workers.push(worker);
    worker.start();
  }
  return { hub, front };
}

afterEach(async () => {
  await front?.kill();
  await Promise.all(workers.splice(0).map((worker) => worker.close()));
  await hub?.[Symbol.asyncDispose]();
});

async function statesOf({ url }: Program): Promise<ModelProgress["nodes"]> {
  const answer = await fetch(`${url}/api/models/${ID}/progress`);
  return ((await answer.json()) as ModelProgress).nodes;
}

function untilReady(program: Program, count: number) {
  return eventually(async () => {
    const nodes = await statesOf(program);
    return nodes.filter(({ state }) => state === "ready").length === count || undefined;
  }, 90_000);
}

test("eight nodes that pull one model cost the hub one download", async () => {
  const { hub, front } = await begin(8);
  expect((await post(`${front.url}/api/models/register`, { repo: REPO })).status).toBe(201);
  await untilReady(front, 8);
  for (const worker of workers) expect((await worker.verified())?.sizeBytes).toBe(SIZE);
  // Each looked at the first 256 KiB to choose.
  expect(hub.served(REPO)).toBeGreaterThanOrEqual(SIZE);
  expect(hub.served(REPO)).toBeLessThanOrEqual(SIZE + 8 * 2 ** 18);

  // Files are for those who were let in.
  const [first] = workers;
  if (first === undefined) throw new Error("there is no node");
  const path = `/api/models/files/${encodeURIComponent(ID)}/${FILE}`;
  const ask = (authorization: string) => fetch(first.url + path, { headers: { authorization } });
  expect((await fetch(first.url + path)).status).toBe(401);
  expect((await ask("Bearer files.9999999999999.x")).status).toBe(401);
  const whole = await ask(`Bearer ${first.key}`);
  expect([whole.status, (await whole.arrayBuffer()).byteLength]).toEqual([200, SIZE]);
});

test("when the node that fetches for the others ends, the next one goes on", async () => {
  const { hub, front } = await begin(3);
  hub.bytesPerSecond = SIZE / 20;
  await post(`${front.url}/api/models/register`, { repo: REPO });
  const holder = await eventually(async () => {
    const nodes = await statesOf(front);
    const waiting = nodes.filter(({ error }) => error?.code === "waiting_for_node");
    const fetching = nodes.find(({ progress }) => (progress?.bytes ?? 0) > 0);
    return waiting.length === 2 ? fetching : undefined;
  }, 30_000);
  const at = workers.findIndex(({ name }) => name === holder.node);
  const [dead] = workers.splice(at, 1);
  await dead?.close();
  hub.bytesPerSecond = 0;
  await untilReady(front, 2);
  for (const worker of workers) expect((await worker.verified())?.sizeBytes).toBe(SIZE);
  expect(hub.served(REPO)).toBeLessThan(2 * SIZE);
});

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram, startProgram, temporaryHome } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { type Hub, startHub } from "../src/testkit/servers/hub/hub.ts";
import { tinyRepo } from "../src/testkit/servers/hub/samples.ts";

setDefaultTimeout(60_000);

const REPO = "llmlb/tiny-GGUF";
const ID = `hf/${REPO}`;
const FILE = "llmlb-tiny-Q8_0.gguf";
const { [FILE]: content } = tinyRepo().files;
const SIZE = content instanceof Uint8Array ? content.byteLength : 0;

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub[Symbol.asyncDispose]());

/** A data folder of its own for what `work` does. */
async function atHome(work: (home: string) => Promise<void>): Promise<void> {
  await hub.add(tinyRepo());
  using home = temporaryHome();
  try {
    await work(home.path);
  } finally {
    hub.bytesPerSecond = 0;
  }
}

function llmlb(home: string, ...args: string[]) {
  return runProgram(args, { home, env: { HF_ENDPOINT: hub.url } });
}

function folderOf(home: string): string {
  return join(home, "models", "hf", "llmlb", "tiny-gguf");
}

/** Starts to pull, and waits until some of it is on the disk. */
async function beginPull(home: string) {
  const before = hub.served(REPO, FILE);
  const child = startProgram(["pull", REPO], { home, env: { HF_ENDPOINT: hub.url } });
  const enough = () => hub.served(REPO, FILE) - before > SIZE / 2 || undefined;
  await eventually(enough, 30_000);
  return child;
}

test.each(["node", "standalone"] as const)(
  "a model is pulled beside a running %s llmlb, answers, is shown and removed",
  async (mode) => {
    await atHome(async (home) => {
      const program = await Program.start({ home, mode, env: { HF_ENDPOINT: hub.url } });
      try {
        expect(await llmlb(home, "pull", REPO)).toMatchObject({ code: 0 });
        expect((await llmlb(home, "list")).stdout).toContain(ID);
        const chat = () => llmlb(home, "chat", "--model", ID, "Goodbye");
        const answer = await eventually(async () => {
          const result = await chat();
          return result.code === 0 ? result : undefined;
        }, 30_000);
        expect(answer.stdout).toBe("Goodbye!\n");
        const loaded = await llmlb(home, "ps");
        expect(loaded.code).toBe(0);
        expect(loaded.stdout).toMatch(new RegExp(`^${ID} +loaded +0 of \\d+ busy`, "m"));
        expect((await llmlb(home, "list")).stdout).toMatch(/ loaded$/m);
        expect((await llmlb(home, "rm", ID)).stdout).toContain(`Removed ${ID}`);
        expect((await llmlb(home, "list")).stdout).toContain("No models in");
        await eventually(async () => {
          const { stdout } = await llmlb(home, "ps");
          return stdout.includes(ID) ? undefined : true;
        }, 30_000);
      } finally {
        await program.stop();
      }
    });
  },
);

test.each(["node", "standalone"] as const)(
  "llmlb run fetches a model that is not here, loads it and answers, with a %s llmlb",
  async (mode) => {
    await atHome(async (home) => {
      const program = await Program.start({ home, mode, env: { HF_ENDPOINT: hub.url } });
      try {
        const first = await llmlb(home, "run", REPO, "Goodbye");
        expect(first).toMatchObject({ code: 0, stdout: "Goodbye!\n" });
        expect(first.stderr).toContain(`Pulling ${ID}`);
        const second = await llmlb(home, "run", REPO, "Goodbye");
        expect(second).toEqual({ code: 0, stdout: "Goodbye!\n", stderr: "" });
        const absent = await llmlb(home, "run", "llmlb/absent", "Goodbye");
        expect(absent).toMatchObject({ code: 1, stdout: "" });
        expect(absent.stderr).toContain("llmlb/absent");
      } finally {
        await program.stop();
      }
    });
  },
);

test("a model that was pulled while nothing ran is served from the start", async () => {
  await atHome(async (home) => {
    expect(await llmlb(home, "pull", `${hub.url}/${REPO}`)).toMatchObject({ code: 0 });
    const program = await Program.start({ home, mode: "node" });
    try {
      const { stdout } = await llmlb(home, "chat", "--model", REPO, "Goodbye");
      expect(stdout).toBe("Goodbye!\n");
    } finally {
      await program.stop();
    }
  });
});

test("of a mirror that tells git's ids and no hashes, a model is pulled once", async () => {
  await atHome(async (home) => {
    hub.tellsLfs = false;
    try {
      const before = hub.served(REPO, FILE);
      expect(await llmlb(home, "pull", REPO)).toMatchObject({ code: 0 });
      // The header is read once more, to choose.
      expect(hub.served(REPO, FILE) - before).toBeLessThan(SIZE * 1.5);
      const pulled = readFileSync(join(folderOf(home), FILE));
      expect(pulled.equals(Buffer.from(content as Uint8Array))).toBe(true);
    } finally {
      hub.tellsLfs = true;
    }
  });
});

test("a pull that is killed goes on where it was", async () => {
  await atHome(async (home) => {
    hub.bytesPerSecond = 1_000_000;
    const child = await beginPull(home);
    child.kill("SIGKILL");
    await child.exited;
    const names = readdirSync(folderOf(home));
    expect(names).toContain(`${FILE}.part`);
    expect(names).not.toContain(FILE);
    const listed = await llmlb(home, "list");
    expect(listed.stdout).toContain("No models in");
    expect(listed.stdout).toContain(`go on with: llmlb pull ${REPO}:Q8_0`);

    hub.bytesPerSecond = 0;
    const before = hub.served(REPO, FILE);
    expect(await llmlb(home, "pull", REPO)).toMatchObject({ code: 0 });
    // The header is read again to choose; the rest is what was missing.
    expect(hub.served(REPO, FILE) - before).toBeLessThan(SIZE);
    expect(
      readFileSync(join(folderOf(home), FILE)).equals(Buffer.from(content as Uint8Array)),
    ).toBe(true);
  });
});

test("Ctrl-C keeps what has come, and says how to go on", async () => {
  await atHome(async (home) => {
    hub.bytesPerSecond = 1_000_000;
    const child = await beginPull(home);
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    const told = await new Response(child.stderr).text();
    expect(told).toMatch(/Stopped\. \S+ MiB of 3\.7 MiB are here and kept\. To go on: llmlb pull /);
    expect(readdirSync(folderOf(home))).toContain(`${FILE}.part`);
    hub.bytesPerSecond = 0;
    const before = hub.served(REPO, FILE);
    expect(await llmlb(home, "pull", REPO)).toMatchObject({ code: 0 });
    expect(hub.served(REPO, FILE) - before).toBeLessThan(SIZE);
    const again = await llmlb(home, "pull", `${REPO}:Q8_0`);
    expect(again.stdout).toContain("is here already");
  });
});

test("two pulls at once fetch a model once", async () => {
  await atHome(async (home) => {
    hub.bytesPerSecond = 3_000_000;
    const before = hub.served(REPO, FILE);
    const both = await Promise.all([llmlb(home, "pull", REPO), llmlb(home, "pull", REPO)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    // Once the file, and twice its header.
    expect(hub.served(REPO, FILE) - before).toBeLessThan(1.5 * SIZE);
  });
});

test("nodes of a balancer are told to pull a registered model, and watched", async () => {
  await atHome(async (home) => {
    const program = await Program.start({ home, env: { HF_ENDPOINT: hub.url } });
    try {
      expect(await llmlb(home, "model", "add", REPO, "--alias", "small")).toMatchObject({
        code: 0,
      });
      const pulled = await llmlb(home, "model", "pull", "small");
      expect(pulled).toMatchObject({ code: 0, stdout: `${ID} on local: ready\n` });
      expect((await llmlb(home, "list")).stdout).toContain(ID);
      const absent = await llmlb(home, "model", "pull", "nothing");
      expect(absent.code).toBe(1);
      expect(absent.stderr).toContain("Model not found: nothing");
    } finally {
      await program.stop();
    }
  });
});

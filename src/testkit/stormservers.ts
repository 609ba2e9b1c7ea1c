import { TINY } from "./clients.ts";
import { until } from "./eventually.ts";
import { freePort } from "./freeport.ts";
import { killIfThere, killWithParent } from "./processes.ts";
import { Program } from "./program.ts";
import type { StormServer } from "./storm.ts";

/** Whatever the clients ask for; one thread each, since they share the machine. */
const GREEDY = ["--temp", "0", "--threads", "1", "--threads-batch", "1"];
/** What outlasts a node's end is handed over soon. */
const NODE = ["--drain-timeout", "100ms", "--preload", TINY, "--", ...GREEDY];
/** A machine that is busy with everything else may take too long for once. */
const STARTS_MAX = 3;
const LOAD_MS_MAX = 60_000;
/** How long a server hangs. Its streams have left it by then, if `HANG_LIMIT` is their limit. */
const HANG_MS = 5000;

/** The balancer's `--idle-timeout` in front of servers that hang. */
export const HANG_LIMIT = "3s";

/** A node with the tiny model, which is killed, ended, or loses its engine. */
export async function stormNode(gguf: string): Promise<StormServer> {
  let node = await startNode(gguf, "0");
  const { url } = node;
  return {
    url,
    async strike(random) {
      const engine = node.lastEnginePid(TINY);
      if (random % 4 === 0 && engine !== undefined) return killIfThere(engine);
      if (random % 4 === 1) {
        // What runs there ends with an error event.
        node.signal("SIGTERM");
        await node.exited;
      }
      await node.kill();
      node = await startNode(gguf, new URL(url).port);
    },
    stop: () => node.kill(),
  };
}

async function startNode(gguf: string, port: string): Promise<Program> {
  const args = ["--port", port, "--model", `${TINY}=${gguf}`, ...NODE];
  for (let starts = 1; ; starts += 1) {
    try {
      return await Program.start({ mode: "node", args });
    } catch (error) {
      if (starts === STARTS_MAX) throw error;
    }
  }
}

/** llama.cpp's own server with the tiny model, which is killed or hangs. */
export async function stormLlamaServer(program: string, gguf: string): Promise<StormServer> {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const options = ["--host", "127.0.0.1", "--port", String(port), "--alias", TINY];
  const command = [program, "--model", gguf, ...options, "--parallel", "4", ...GREEDY];
  const start = async () => {
    const child = Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] });
    const watchdog = killWithParent(child.pid);
    const isUp = () =>
      fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(isUp, LOAD_MS_MAX);
    return { child, watchdog };
  };
  let server = await start();
  const kill = async () => {
    server.child.kill("SIGKILL");
    await server.child.exited;
    server.watchdog.stdin.write("done\n");
    await server.watchdog.stdin.end();
  };
  return {
    url,
    async strike(random) {
      if (random % 2 === 0) {
        server.child.kill("SIGSTOP");
        await Bun.sleep(HANG_MS);
        server.child.kill("SIGCONT");
        return;
      }
      await kill();
      server = await start();
    },
    stop: kill,
  };
}

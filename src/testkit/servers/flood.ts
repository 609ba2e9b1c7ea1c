import { fileURLToPath } from "node:url";
import { until } from "../eventually.ts";
import { freePort } from "../freeport.ts";
import { killIfThere, killWithParent } from "../processes.ts";

const SCRIPT = fileURLToPath(new URL("../../../scripts/bench/rig/flood.ts", import.meta.url));
const START_MS_MAX = 20_000;

/** An endpoint in a process of its own that answers with too much. */
export interface FloodEndpoint extends AsyncDisposable {
  url: string;
}

/** Starts the endpoint of the benchmark `force`, which lists so many models besides its own. */
export async function startFlood(models = 0): Promise<FloodEndpoint> {
  const port = freePort();
  const argv = [process.execPath, SCRIPT, String(port), String(models)];
  const child = Bun.spawn(argv, { stdio: ["ignore", "inherit", "inherit"] });
  const watchdog = killWithParent(child.pid);
  const url = `http://127.0.0.1:${port}`;
  const answers = () =>
    fetch(`${url}/v1/models`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(answers, START_MS_MAX);
  return {
    url,
    async [Symbol.asyncDispose]() {
      killIfThere(child.pid);
      await child.exited;
      watchdog.stdin.write("done\n");
      await watchdog.stdin.end();
    },
  };
}

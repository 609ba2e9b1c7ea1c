import { join } from "node:path";
import { startNginx } from "./nginx.ts";
import type { PinnedProcess } from "./pinned.ts";
import { startBalancer, startUpstream, TARGET_CORE } from "./throughput.ts";

/** A trivial upstream, and nginx and the balancer in front of it. */
export type Proxies = Record<"direct" | "nginx" | "llmlb", PinnedProcess>;

/** Starts all three; each is put into `started` once it runs. `args` are for the upstream. */
export async function startProxies(
  folder: string,
  started: PinnedProcess[],
  ...args: string[]
): Promise<Proxies> {
  const start = async (server: Promise<PinnedProcess>) => {
    const running = await server;
    started.push(running);
    return running;
  };
  const direct = await start(startUpstream("upstream.ts", ...args));
  const upstream = direct.url;
  const nginx = await start(
    startNginx({ upstream, core: TARGET_CORE, folder: join(folder, "nginx") }),
  );
  const llmlb = await start(startBalancer([upstream], folder));
  return { direct, nginx, llmlb };
}

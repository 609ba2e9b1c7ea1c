import { afterAll, expect, test } from "bun:test";
import { runProgram, temporaryHome } from "../../testkit/command.ts";
import type { NodeModelState } from "../../wire/sync.ts";

function held(node: string, state: NodeModelState, error: string | null = null) {
  const told = error === null ? null : { code: "pull_failed", message: error };
  return { node, state, revision: null, files: [], progress: null, error: told };
}

const fetching = {
  ...{ model: "hf/a/b", state: "downloading" as const, file: null },
  ...{ bytes: 50, total_bytes: 100, rate_bytes_per_s: 10, eta_s: 5, error: null },
};
const steps = [
  [{ ...held("gpu1", "pulling"), progress: fetching }],
  [held("gpu1", "ready"), { ...held("gpu2", "pulling"), progress: fetching }],
  [held("gpu1", "ready"), held("gpu2", "ready")],
];
let step = 0;
const asked: string[] = [];

/** A balancer whose nodes are further each time that they are asked for. */
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request) {
    const { pathname } = new URL(request.url);
    asked.push(`${request.method} ${pathname}`);
    if (pathname === "/api/models/tiny/pull") {
      const progress_url = "/api/models/hf/a/b/progress";
      const nodes = ["gpu1", "gpu2"];
      return Response.json(
        { status: "pulling", model: "hf/a/b", nodes, progress_url },
        { status: 202 },
      );
    }
    if (pathname !== "/api/models/hf/a/b/progress") {
      return Response.json({ error: { message: "Model not found: x." } }, { status: 404 });
    }
    const nodes = steps[step] ?? steps.at(-1);
    step += 1;
    const sums = { bytes_downloaded: 0, bytes_total: 0, percent: 0 };
    return Response.json({ model: "hf/a/b", state: "caching", ...sums, nodes });
  },
});
afterAll(() => server.stop(true));

function pull(...args: string[]) {
  using home = temporaryHome();
  const url = server.url.origin;
  return runProgram(["model", "pull", ...args, "--url", url], { home: home.path });
}

test("nodes are told to pull, and watched until each has the model", async () => {
  const { code, stdout } = await pull("tiny");
  expect(stdout).toBe("hf/a/b on gpu1: ready\nhf/a/b on gpu2: ready\n");
  expect(code).toBe(0);
  expect(asked[0]).toBe("POST /api/models/tiny/pull");
  step = 1;
  const lines = (await pull("tiny", "--json")).stdout.trim().split("\n");
  expect(lines.map((text) => JSON.parse(text).nodes)).toEqual(steps.slice(1));
  expect((await pull("tiny", "--detach")).stdout).toBe("hf/a/b: gpu1, gpu2 will fetch it\n");
});

test("a node that could not is told with its reason", async () => {
  steps.push([held("gpu1", "ready"), held("gpu2", "failed", "The disk is full.")]);
  const { code, stdout } = await pull("tiny");
  expect(code).toBe(1);
  expect(stdout).toContain("hf/a/b on gpu2: failed: The disk is full.");
  const absent = await pull("x");
  expect(absent).toMatchObject({ code: 1, stdout: "" });
  expect(absent.stderr).toContain("Model not found: x.");
}, 15_000);

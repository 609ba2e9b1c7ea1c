import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { openState } from "../src/db/database.ts";
import { post, says } from "../src/testkit/clients.ts";
import { type RunResult, runProgram, startProgram } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { type ThirdPartyServer, thirdPartyServer } from "../src/testkit/servers/thirdparty.ts";
import { stage } from "../src/testkit/stage.ts";
import { makeRequest, silent } from "../src/testkit/state.ts";
import { RequestDetail, RequestPage, RequestView } from "../src/wire/history.ts";
import { UsageReport } from "../src/wire/usage.ts";

setDefaultTimeout(90_000);

const ARGS = ["--access", "required", "--health-interval", "10s"];
const ENV = { LLMLB_ADMIN_PASSWORD: "correct horse" };

/** Lines of CSV as RFC 4180 has them. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let [row, cell, quoted] = [[] as string[], "", false];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? "";
    if (quoted && char === '"' && text[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (char === '"') quoted = !quoted;
    else if (quoted || (char !== "," && char !== "\r" && char !== "\n")) cell += char;
    else if (char !== "\r") {
      row.push(cell);
      cell = "";
      if (char === "\n") {
        rows.push(row);
        row = [];
      }
    }
  }
  return rows;
}

describe("what was asked", () => {
  let program: Program;
  let one: ThirdPartyServer;
  let two: ThirdPartyServer;
  const keys: Record<string, string> = {};
  let all: RequestView[] = [];

  const run = (...args: string[]): Promise<RunResult> => runProgram(args, { home: program.home });
  const as = (key: string | undefined) => ({ authorization: `Bearer ${key ?? ""}` });
  const getAs = (key: string | undefined, path: string) =>
    fetch(program.url + path, { headers: as(key) });

  async function listed(query: string, key = keys.admin): Promise<string[]> {
    const answer = await getAs(key, `/api/requests?limit=1000&${query}`);
    expect([query, answer.status]).toEqual([query, 200]);
    return RequestPage.parse(await answer.json()).requests.map(({ request_id }) => request_id);
  }

  async function ask(id: string, who: string, model: string, client: string, type = "chat") {
    // Times are told in milliseconds: two requests of one begin at the same time.
    await Bun.sleep(2);
    const headers = { ...as(keys[who]), "x-request-id": id, "user-agent": client };
    const paths: Record<string, string> = { chat: "chat/completions", embeddings: "embeddings" };
    const body = type === "chat" ? { messages: says("swordfish") } : { input: "swordfish" };
    const answer = await post(`${program.url}/v1/${paths[type]}`, { model, ...body }, { headers });
    await answer.arrayBuffer();
    return answer.status;
  }

  beforeAll(async () => {
    one = thirdPartyServer("vllm", ["m-one"]);
    two = thirdPartyServer("openai_compatible", ["m-two"]);
    const endpoints = ["-e", `gpu-one=${one.url}`, "-e", `gpu-two=${two.url}`];
    program = await Program.start({
      ...{ mode: "balancer", env: ENV, untilReady: false },
      args: [...ARGS, ...endpoints, "--history-bodies", "full"],
    });
    for (const who of ["ada", "eve"]) {
      expect((await run("user", "add", who)).code).toBe(0);
      keys[who] = (await run("key", "add", `${who}-laptop`, "--user", who)).stdout.trim();
    }
    keys.admin = (
      await run("key", "add", "operator", "--permissions", "logs.read,openai.inference")
    ).stdout.trim();
    await eventually(async () => (await fetch(`${program.url}/ready`)).ok || undefined);
    expect(await ask("r-1", "ada", "m-one", "OpenAI/Python 2.1.0")).toBe(200);
    expect(await ask("r-2", "ada", "m-two", "curl/8.5.0")).toBe(200);
    expect(await ask("r-3", "eve", "m-two", "curl/8.5.0", "embeddings")).toBe(200);
    expect(await ask("r-4", "eve", "=cmd|' /C calc'!A0", "curl/8.5.0")).toBe(404);
    two.fault = "500";
    expect(await ask("r-5", "eve", "m-two", "ollama-js/0.6")).toBeGreaterThanOrEqual(500);
    all = await eventually(async () => {
      const page = RequestPage.parse(await (await getAs(keys.admin, "/api/requests")).json());
      return page.requests.length === 5 ? page.requests : undefined;
    });
  });
  afterAll(async () => {
    await program?.stop();
    for (const server of [one, two]) server?.[Symbol.dispose]();
  });

  test("is found by every filter, alone and together", async () => {
    const filters: [query: string, ids: string[]][] = [
      ["", ["r-5", "r-4", "r-3", "r-2", "r-1"]],
      ["model=m-two", ["r-5", "r-3", "r-2"]],
      ["endpoint=gpu-one", ["r-1"]],
      ["key=ada-laptop", ["r-2", "r-1"]],
      ["user=eve", ["r-5", "r-4", "r-3"]],
      ["status=success", ["r-3", "r-2", "r-1"]],
      ["status=error", ["r-5", "r-4"]],
      ["http_status=404", ["r-4"]],
      ["client=curl", ["r-4", "r-3", "r-2"]],
      ["client=OpenAI/Python", ["r-1"]],
      ["client_ip=127.0.0.1", ["r-5", "r-4", "r-3", "r-2", "r-1"]],
      ["client_ip=10.0.0.1", []],
      ["type=embeddings", ["r-3"]],
      ["request_id=r-2", ["r-2"]],
      [`from=${all[1]?.started_at}`, ["r-5", "r-4"]],
      [`to=${all[1]?.started_at}`, ["r-3", "r-2", "r-1"]],
      ["user=ada&model=m-two", ["r-2"]],
      ["user=ada&status=error", []],
      ["client=curl&http_status=404&user=eve&type=chat", ["r-4"]],
    ];
    for (const [query, ids] of filters) expect([query, await listed(query)]).toEqual([query, ids]);
  });

  test("is each one's own, unless he may read logs", async () => {
    expect(await listed("", keys.ada)).toEqual(["r-2", "r-1"]);
    expect(await listed("user=eve", keys.ada)).toEqual([]);
    const show = async (key: string | undefined, id: string) => {
      const answer = await getAs(key, `/api/requests/${id}`);
      return answer.ok ? RequestDetail.parse(await answer.json()) : answer.status;
    };
    expect(await show(keys.ada, "r-3")).toBe(404);
    const own = await show(keys.ada, "r-1");
    expect(own).toMatchObject({ request_id: "r-1", user_name: "ada", endpoint_url: null });
    expect(JSON.stringify(own)).not.toContain("swordfish");
    expect(JSON.stringify(await show(keys.admin, "r-1"))).toContain("swordfish");
    expect((await fetch(`${program.url}/api/requests`)).status).toBe(401);
    const usage = UsageReport.parse(
      await (await getAs(keys.ada, "/api/usage?by=total&group=user")).json(),
    );
    expect(usage.rows.map(({ name, requests }) => [name, requests])).toEqual([["ada", 2]]);
  });

  test("is told by the commands", async () => {
    const list = await run("history");
    expect([list.code, list.stdout.split("\n").length]).toEqual([0, 7]);
    expect(list.stdout).toMatch(/^TIME +STATUS +MODEL +ENDPOINT +WHO +TOKENS +FIRST +TOTAL +ID\n/);
    expect(list.stdout).toMatch(/404 model_not_found +=cmd/);
    const failed = await run("history", "--status", "error", "--from", "1h", "--json");
    const page = RequestPage.parse(JSON.parse(failed.stdout));
    expect(page.requests.map(({ request_id }) => request_id)).toEqual(["r-5", "r-4"]);
    const shown = await run("history", "show", "r-5", "--json");
    expect(RequestDetail.parse(JSON.parse(shown.stdout))).toMatchObject({
      ...{ request_id: "r-5", status: "error", client: "ollama-js" },
    });
    const text = (await run("history", "show", "r-1")).stdout;
    for (const part of ["m-one", "gpu-one", "ada-laptop", "OpenAI/Python", "swordfish"]) {
      expect(text).toContain(part);
    }
    const csv = parseCsv((await run("history", "--export", "csv")).stdout);
    const model = csv[0]?.indexOf("model") ?? -1;
    expect(csv.map((row) => row[model])).toContain("'=cmd|' /C calc'!A0");
    const json = await run("history", "--export", "json", "--user", "ada");
    expect(JSON.parse(json.stdout)).toHaveLength(2);
    const usage = await run("usage", "--by", "day", "--group", "model");
    expect(usage.stdout).toMatch(/^DAY +MODEL +REQUESTS +FAILED/);
    // No endpoint has the model that was asked for last but one.
    expect(usage.stdout).toMatch(/\d{4}-\d\d-\d\d +m-two +3 +1 /);
    expect(usage.stdout).toMatch(/\d{4}-\d\d-\d\d +\(none\) +1 +1 /);
    expect(usage.stdout).toMatch(/\ntotal +5 +2 /);
    const own = await run("usage", "--by", "total", "--json", "--api-key", keys.eve ?? "");
    expect(UsageReport.parse(JSON.parse(own.stdout)).totals.requests).toBe(3);
    for (const args of [
      ["--status", "bad"],
      ["--from", "soon"],
      ["--limit", "0"],
    ]) {
      expect((await run("history", ...args)).code).toBe(2);
    }
    expect((await run("usage", "--by", "year")).code).toBe(2);
    const turned = await run("history", "--from", "2026-02-01", "--to", "2026-01-01");
    expect([turned.code, turned.stderr]).toEqual([1, expect.stringContaining("`from` is after")]);
  });

  test("stands under the older paths in the older words", async () => {
    for (const base of ["/api/dashboard", "/v0/dashboard"]) {
      const json = async (path: string) => (await getAs(keys.admin, base + path)).json();
      const page = await json("/request-responses?per_page=25&status=error");
      expect(page).toMatchObject({ total_count: 2, page: 1, per_page: 25 });
      expect(page.records[0]).toMatchObject({
        status: { type: "error" },
        node_machine_name: "gpu-two",
      });
      const detail = await json(`/request-responses/${all.at(-1)?.id}`);
      expect(detail.request_body.messages[0].content).toBe("swordfish");
      expect(await json("/request-history")).toHaveLength(60);
      const tokens = await json("/stats/tokens");
      expect(tokens.request_count).toBe(5);
      expect(await json("/stats/tokens/daily?days=7")).toMatchObject([tokens]);
      expect(await json("/stats/tokens/monthly")).toMatchObject([tokens]);
      const wrong = "start_time=2026-02-01T00:00:00Z&end_time=2026-01-01T00:00:00Z";
      expect((await getAs(keys.admin, `${base}/request-responses?${wrong}`)).status).toBe(400);
    }
  });

  test("is told as it ends, with --follow, until Ctrl-C", async () => {
    const args = ["history", "--follow", "--json", "--limit", "1"];
    const following = startProgram(args, { home: program.home });
    let text = "";
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const piece of following.stdout) text += decoder.decode(piece, { stream: true });
    })();
    const ids = (count: number) =>
      eventually(async () => {
        const lines = text.split("\n").slice(0, -1);
        if (lines.length < count) return undefined;
        return lines.map((line) => RequestView.parse(JSON.parse(line)).request_id);
      }, 20_000);
    expect(await ids(1)).toEqual(["r-5"]);
    expect(await ask("r-6", "ada", "m-one", "curl/8.5.0")).toBe(200);
    expect(await ids(2)).toEqual(["r-5", "r-6"]);
    following.kill("SIGINT");
    expect(await following.exited).toBe(130);
    await reading;
  });
});

describe("a long history", () => {
  const { start, newHome } = stage();
  const ROWS = 30_000;

  test("is paged without loss or doubles while requests come in, and exported whole", async () => {
    using server = thirdPartyServer("vllm", ["m"]);
    const home = newHome();
    const state = await openState({ home, log: silent });
    const first = Date.now() - 3_600_000;
    for (let i = 0; i < ROWS; i += 1) {
      // Several have the same time.
      state.requests.record(makeRequest({ requestId: `old-${i}`, startedAt: first + (i >> 3) }));
      if (i % 10_000 === 0) await state.writes.flush();
    }
    await state.writes.flush();
    await state.close();
    const program = await start({ mode: "balancer", home, args: ["-e", `a=${server.url}`] });

    let isOver = false;
    const client = (async () => {
      for (let i = 0; !isOver; i += 1) {
        const headers = { "x-request-id": `new-${i}` };
        const body = { model: "m", messages: says("Hello") };
        const answer = await post(`${program.url}/v1/chat/completions`, body, { headers });
        await answer.arrayBuffer();
      }
    })();
    const seen: string[] = [];
    let cursor = "";
    do {
      const query = `limit=997${cursor === "" ? "" : `&cursor=${cursor}`}`;
      const answer = await fetch(`${program.url}/api/requests?${query}`);
      const page = RequestPage.parse(await answer.json());
      seen.push(...page.requests.map(({ request_id }) => request_id));
      cursor = page.next_cursor ?? "";
    } while (cursor !== "");
    const old = seen.filter((id) => id.startsWith("old-"));
    expect(old.length).toBe(ROWS);
    expect(new Set(seen).size).toBe(seen.length);

    const csv = await fetch(`${program.url}/api/requests/export`);
    let [pieces, text] = [0, ""];
    const decoder = new TextDecoder();
    for await (const piece of csv.body ?? []) {
      pieces += 1;
      text += decoder.decode(piece, { stream: true });
    }
    expect(pieces).toBeGreaterThan(10);
    const [titles = [], ...rows] = parseCsv(text);
    expect(rows.every((row) => row.length === titles.length)).toBe(true);
    const ids = rows.map((row) => row[titles.indexOf("request_id")] ?? "");
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => id.startsWith("old-")).length).toBe(ROWS);

    // A client that leaves stops the export.
    const left = await fetch(`${program.url}/api/requests/export?format=json`);
    await left.body?.cancel();
    isOver = true;
    await client;
    const exported = await runProgram(["history", "--export", "json", "--request-id", "old-7"], {
      home,
    });
    expect(JSON.parse(exported.stdout)).toMatchObject([{ request_id: "old-7" }]);
    await program.stop();
  });
});

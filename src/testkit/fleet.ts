import { temporaryHome } from "./command.ts";
import { eventually } from "./eventually.ts";
import { People } from "./people.ts";
import { Program } from "./program.ts";
import { fakeEndpoint } from "./servers/endpoint.ts";
import { thirdPartyServer } from "./servers/thirdparty.ts";
import { chunksOf } from "./servers/translating.ts";
import { fillHome, HOSTILE } from "./usagehome.ts";

/** A balancer with everything that its dashboard shows, some of which is hostile. */
export interface Fleet extends AsyncDisposable {
  program: Program;
  people: People;
}

const MODEL = "qwen3-32b";

/** What an endpoint answers to every third request: an error with markup in it. */
function refusal(): Response {
  return Response.json({ error: { message: `${HOSTILE} is out of memory` } }, { status: 500 });
}

function stream(): Response {
  const chunks = chunksOf([{ content: `${HOSTILE} ` }, { content: "**Hello**" }]);
  const events = [...chunks.map((chunk) => JSON.stringify(chunk)), "[DONE]"];
  const text = events.map((event) => `data: ${event}\n\n`).join("");
  return new Response(text, { headers: { "content-type": "text/event-stream" } });
}

/**
 * Starts a balancer with access control over endpoints of several kinds: one that streams, whose
 * models, answers and errors have markup in them, one that nobody can reach, whose name is markup,
 * and one that is drained. Its people are those of `fillHome`, and it has answered some requests.
 */
export async function startFleet(): Promise<Fleet> {
  const home = temporaryHome();
  await fillHome(home.path);
  let asked = 0;
  const streaming = fakeEndpoint([MODEL, HOSTILE], () => {
    asked += 1;
    return asked % 3 === 0 ? refusal() : stream();
  });
  const ollama = thirdPartyServer("ollama", ["gemma3:12b", HOSTILE]);
  const vllm = thirdPartyServer("vllm", [MODEL, "gpt-oss-120b"]);
  const program = await Program.start({
    ...{ mode: "balancer", untilReady: false, home: home.path },
    args: ["--access", "required", "--history-bodies", "full", "--health-interval", "1s"],
  });
  const people = new People(program);
  const post = (route: string, body?: object) => people.local(`POST ${route}`, body);
  const endpoints = [
    { name: "rack 1", base_url: streaming.url, slots: 6, notes: HOSTILE },
    { name: "office", base_url: ollama.url },
    { name: "rack 2", base_url: vllm.url, slots: 24 },
    { name: HOSTILE, base_url: "http://127.0.0.1:9" },
  ];
  for (const endpoint of endpoints) await post("/api/endpoints", endpoint);
  const online = await eventually(async () => {
    const { endpoints: all } = (await (await people.local("GET /api/endpoints")).json()) as {
      endpoints: { id: string; name: string; status: string }[];
    };
    return all.filter(({ status }) => status === "online").length === 3 ? all : undefined;
  }, 20_000);
  await post(`/api/endpoints/${online.find(({ name }) => name === "office")?.id}/drain`);
  await people.local("POST /api/keys", { name: HOSTILE, user: "eve" });
  await people.local("POST /api/invitations", { role: "viewer", note: HOSTILE });
  for (let i = 0; i < 12; i += 1) {
    const model = i % 2 === 0 ? MODEL : HOSTILE;
    const messages = [{ role: "user", content: HOSTILE }];
    const answer = await post("/v1/chat/completions", { model, messages, stream: i % 4 < 2 });
    await answer.text();
  }
  return {
    ...{ program, people },
    [Symbol.asyncDispose]: async () => {
      await program.stop();
      for (const server of [streaming, ollama, vllm]) server[Symbol.dispose]();
      home[Symbol.dispose]();
    },
  };
}

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { post, says, TINY } from "../src/testkit/clients.ts";
import { temporaryHome } from "../src/testkit/command.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(30_000);

const system = (content: string) => ({ role: "system", content });
const developer = (content: string) => ({ role: "developer", content });

/** As strict as those of Qwen, Gemma and Mistral are. */
const STRICT_TEMPLATE = `{%- for message in messages %}
{%- if message.role == 'system' and not loop.first %}
{{- raise_exception('System message must be at the beginning.') }}
{%- endif %}
{%- if message.role not in ['system', 'user', 'assistant', 'tool'] %}
{{- raise_exception('Unexpected message role.') }}
{%- endif %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

describe("several system messages, with our own engine and a strict template", () => {
  const folder = temporaryHome();
  let program: Program;
  beforeAll(async () => {
    const file = join(folder.path, "strict.jinja");
    writeFileSync(file, STRICT_TEMPLATE);
    program = await Program.start({ args: ["--", "--threads", "1", "--chat-template-file", file] });
  });
  afterAll(async () => {
    await program?.stop();
    folder[Symbol.dispose]();
  });

  const turns = says("Introduce yourself.");
  const named = "You are called Traigos.";
  const input = [...turns, developer("")];
  test.each<[string, object]>([
    ["/v1/chat/completions", { messages: [system(""), developer(named), ...turns] }],
    ["/v1/chat/completions", { messages: [...turns, system(named)] }],
    ["/v1/responses", { instructions: named, input }],
    ["/v1/messages", { system: named, messages: [...turns, system("")], max_tokens: 50 }],
    ["/api/chat", { messages: [system(named), ...turns, system("")], stream: false }],
  ])("are one for %s", async (path, body) => {
    for (const url of [program.url, program.nodeUrl]) {
      // A node does not speak Ollama's API.
      if (path === "/api/chat" && url === program.nodeUrl) continue;
      const answer = await post(url + path, { model: TINY, temperature: 0, ...body });
      expect([answer.status, await answer.text()]).toEqual([
        200,
        expect.stringContaining("I am Traigos."),
      ]);
    }
  });
});

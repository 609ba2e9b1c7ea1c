import type { OutgoingChat } from "./request.ts";

/** The languages in which a request can be taken along. */
export const SNIPPETS = ["curl", "Python", "TypeScript"] as const;
export type SnippetLanguage = (typeof SNIPPETS)[number];

/** A command, or a program, that sends exactly this request to this llmlb. */
export function snippetOf(
  language: SnippetLanguage,
  origin: string,
  request: OutgoingChat,
): string {
  switch (language) {
    case "curl":
      return curlOf(origin, request);
    case "Python":
      return pythonOf(origin, request);
    case "TypeScript":
      return typescriptOf(origin, request);
  }
}

/** The same text with the bytes of images left out, to be looked at. */
export function shortened(snippet: string): string {
  return snippet.replace(/(data:image\/[\w.+-]+;base64,[\w+/=]{24})[\w+/=]{40,}/g, "$1…");
}

function curlOf(origin: string, { body, headers }: OutgoingChat): string {
  const json = JSON.stringify(body, undefined, 2);
  // What stands between is taken as it is; images are too long for an argument.
  let mark = "JSON";
  while (json.split("\n").includes(mark)) mark += "_";
  // What encodeURIComponent leaves as it is may end the quotes.
  const own = Object.entries(headers).map(
    ([name, value]) => `  -H '${name}: ${value.replaceAll("'", "%27")}' \\`,
  );
  return [
    `curl -N ${origin}/v1/chat/completions \\`,
    '  -H "Authorization: Bearer $LLMLB_API_KEY" \\',
    '  -H "Content-Type: application/json" \\',
    ...own,
    `  --data-binary @- <<'${mark}'`,
    json,
    mark,
  ].join("\n");
}

function pythonOf(origin: string, { body, headers }: OutgoingChat): string {
  const values = Object.entries(body).map(
    ([name, value]) => `    ${name}=${pythonValue(value, "    ")},`,
  );
  const own = Object.keys(headers).length === 0 ? [] : [pythonHeaders(headers)];
  return [
    "import os",
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url="${origin}/v1", api_key=os.environ["LLMLB_API_KEY"])`,
    "stream = client.chat.completions.create(",
    ...values,
    ...own,
    ")",
    "for chunk in stream:",
    "    if chunk.choices and chunk.choices[0].delta.content:",
    '        print(chunk.choices[0].delta.content, end="", flush=True)',
    "    if chunk.choices and chunk.choices[0].delta.tool_calls:",
    "        print(chunk.choices[0].delta.tool_calls)",
  ].join("\n");
}

function pythonHeaders(headers: Record<string, string>): string {
  return `    extra_headers=${pythonValue(headers, "    ")},`;
}

/** JSON's texts are Python's as well; its three words are not. */
function pythonValue(value: unknown, indent: string): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const deeper = `${indent}    `;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const items = Array.isArray(value)
    ? value.map((one) => pythonValue(one, deeper))
    : Object.entries(value).map(
        ([name, one]) => `${JSON.stringify(name)}: ${pythonValue(one, deeper)}`,
      );
  if (items.length === 0) return `${open}${close}`;
  return `${open}\n${items.map((item) => `${deeper}${item},\n`).join("")}${indent}${close}`;
}

function typescriptOf(origin: string, { body, headers }: OutgoingChat): string {
  const own = Object.keys(headers).length === 0 ? "" : `, { headers: ${JSON.stringify(headers)} }`;
  const json = JSON.stringify(body, undefined, 2);
  return [
    'import OpenAI from "openai";',
    "",
    "const client = new OpenAI({",
    `  baseURL: "${origin}/v1",`,
    "  apiKey: process.env.LLMLB_API_KEY,",
    "});",
    `const stream = await client.chat.completions.create(${json}${own});`,
    "for await (const chunk of stream) {",
    "  const delta = chunk.choices[0]?.delta;",
    '  process.stdout.write(delta?.content ?? "");',
    "  if (delta?.tool_calls) console.log(JSON.stringify(delta.tool_calls));",
    "}",
  ].join("\n");
}

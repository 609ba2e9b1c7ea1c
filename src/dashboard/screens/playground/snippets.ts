/** The languages in which a request can be taken along. */
export const SNIPPETS = ["curl", "Python", "TypeScript"] as const;
export type SnippetLanguage = (typeof SNIPPETS)[number];

/** A program, or a command, that sends the same request to this llmlb. */
export function snippetOf(
  language: SnippetLanguage,
  origin: string,
  { stream_options: _, ...request }: Record<string, unknown>,
): string {
  const body = { ...request, stream: false };
  switch (language) {
    case "curl":
      return curlOf(origin, body);
    case "Python":
      return pythonOf(origin, body);
    case "TypeScript":
      return typescriptOf(origin, body);
  }
}

function curlOf(origin: string, body: object): string {
  // In single quotes a shell takes everything as it is, but for themselves.
  const json = JSON.stringify(body, undefined, 2).replaceAll("'", `'\\''`);
  return [
    `curl ${origin}/v1/chat/completions \\`,
    '  -H "Authorization: Bearer $LLMLB_API_KEY" \\',
    '  -H "Content-Type: application/json" \\',
    `  -d '${json}'`,
  ].join("\n");
}

function pythonOf(origin: string, body: Record<string, unknown>): string {
  // Its texts are JSON's; only these words differ.
  const values = Object.entries(body).map(([name, value]) => {
    const json = JSON.stringify(value, undefined, 4).replaceAll("\n", "\n    ");
    return `    ${name}=${typeof value === "boolean" ? (value ? "True" : "False") : json},`;
  });
  return [
    "import os",
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url="${origin}/v1", api_key=os.environ["LLMLB_API_KEY"])`,
    "answer = client.chat.completions.create(",
    ...values,
    ")",
    "print(answer.choices[0].message.content)",
  ].join("\n");
}

function typescriptOf(origin: string, body: object): string {
  return [
    'import OpenAI from "openai";',
    "",
    "const client = new OpenAI({",
    `  baseURL: "${origin}/v1",`,
    "  apiKey: process.env.LLMLB_API_KEY,",
    "});",
    `const answer = await client.chat.completions.create(${JSON.stringify(body, undefined, 2)});`,
    "console.log(answer.choices[0].message.content);",
  ].join("\n");
}

import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { OpenApiDocument } from "./document.ts";

type Json = Record<string, unknown>;
type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

const STYLE = `:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
body{margin:0 auto;max-width:60rem;padding:1.5rem}h1,h2{line-height:1.2}
details{border:1px solid #8884;border-radius:6px;margin:.4rem 0;padding:.4rem .7rem}
summary{cursor:pointer}summary b{display:inline-block;min-width:4.5rem;font-family:monospace}
code,pre{font-family:ui-monospace,monospace;font-size:13px}pre{overflow:auto;max-height:30rem}
td{text-align:left;padding:.1rem .8rem .1rem 0;vertical-align:top}
.note{opacity:.75}nav a{margin-right:1rem}`;

const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** What lets a browser use the style of the page, and nothing else. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; \
base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The document as a page that needs nothing but itself: no script, no other file. */
export async function documentPage(document: OpenApiDocument): Promise<string> {
  const { title, version, description } = document.info as Record<string, string>;
  const names = (document.tags as { name: string }[]).map(({ name }) => name);
  const links = [...names, "Schemas"].map((name) => html`<a href="#${name}">${name}</a>`);
  const page = html`<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>${title}: API</title><meta name="viewport" content="width=device-width">
<style>${raw(STYLE)}</style></head><body><h1>${title} ${version}: API</h1><p>${description}</p>
<p>For programs: <a href="/api/openapi.json">openapi.json</a> (OpenAPI 3.1). Keys go as
<code>Authorization: Bearer sk_…</code> or <code>x-api-key</code>.</p><nav>${links}</nav>
${names.map((name) => partHtml(name, document))}
<h2 id="Schemas">Schemas</h2>${Object.entries(document.components.schemas).map(schemaHtml)}
</body></html>`;
  return String(await page);
}

interface Listed {
  path: string;
  method: string;
  operation: Json;
}

/** One part of the document: its operations, and below them the older names of some. */
function partHtml(name: string, { paths }: OpenApiDocument): Html {
  const all = Object.entries(paths).flatMap(([path, methods]): Listed[] =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const own = all.filter(({ operation }) => (operation.tags as string[]).includes(name));
  const { current = [], older = [] } = Object.groupBy(own, ({ operation }) =>
    operation.deprecated === true ? "older" : "current",
  );
  const list = older.map(({ path, method, operation }) => {
    const newer = operation["x-newer"];
    return html`<li><code>${method.toUpperCase()} ${path}</code>: now <code>${newer}</code></li>`;
  });
  const names = html`<details><summary>Older names</summary><ul>${list}</ul></details>`;
  return html`<h2 id="${name}">${name}</h2>${current.map(operationHtml)}
${older.length === 0 ? "" : names}`;
}

function operationHtml({ path, method, operation }: Listed): Html {
  const { summary, description = "", parameters = [], requestBody, responses } = operation;
  const body = requestBody as Json | undefined;
  return html`<details><summary><b>${method.toUpperCase()}</b> <code>${path}</code>
${summary}</summary><p class="note">Permission: <code>${operation["x-permission"]}</code></p>
<p>${description}</p><table>${(parameters as Json[]).map(parameterHtml)}</table>
${body === undefined ? "" : html`<p>Body: ${contentHtml(body)}</p>${exampleHtml(body)}`}
<table>${Object.entries(responses as Record<string, Json>).map(responseHtml)}</table></details>`;
}

function parameterHtml({ name, in: place, required, schema }: Json): Html {
  const need = required === true ? ", required" : "";
  return html`<tr><td><code>${name}</code></td><td>${place}${need}</td>
<td><code>${JSON.stringify(schema)}</code></td></tr>`;
}

function responseHtml([status, response]: [string, Json]): Html {
  return html`<tr><td><code>${status}</code></td><td>${response.description}</td>
<td>${contentHtml(response)}</td></tr>`;
}

function exampleHtml({ content }: Json): Html | string {
  const { example } = (content as Record<string, Json>)["application/json"] ?? {};
  return example === undefined ? "" : html`<pre>${JSON.stringify(example, null, 2)}</pre>`;
}

/** The media types of a body, with a link to the schema of each that has a name. */
function contentHtml({ content = {} }: Json): Html[] {
  return Object.entries(content as Record<string, { schema?: Json }>).map(([media, { schema }]) => {
    const name = String(schema?.$ref ?? "").replace("#/components/schemas/", "");
    return name === "" ? html`${media} ` : html`<a href="#schema-${name}">${name}</a> `;
  });
}

function schemaHtml([name, schema]: [string, Json]): Html {
  return html`<details id="schema-${name}"><summary><code>${name}</code></summary>
<pre>${JSON.stringify(schema, null, 2)}</pre></details>`;
}

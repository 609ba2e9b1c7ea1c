import { z } from "zod";
import { type Rule, ruleOf } from "../../auth/accesstable.ts";
import { VERSION } from "../../config/version.ts";
import { dialectOf } from "../../wire/route.ts";
import { errorResponses } from "./errors.ts";
import type { NamedSchema, Operation } from "./operation.ts";
import { type FoundOperation, findOperation, PARTS } from "./operations.ts";

type Json = Record<string, unknown>;

/** An OpenAPI document, as far as it is looked into here. */
export interface OpenApiDocument extends Json {
  paths: Record<string, Record<string, Json>>;
  components: { schemas: Record<string, Json> } & Json;
}

/**
 * The OpenAPI 3.1 document of routes as an app has them (`GET /api/endpoints/:id`), made of what
 * checks their requests. A route that nothing is said of is left out.
 */
export function openApiDocument(routes: Iterable<string>): OpenApiDocument {
  const schemas = new Schemas();
  const paths: OpenApiDocument["paths"] = {};
  for (const route of new Set(routes)) {
    const found = findOperation(route);
    if (found === undefined) continue;
    const [method = "", path = ""] = route.split(" ");
    const operation = operationObject({ route, path, found, schemas });
    paths[openPath(path)] = { ...paths[openPath(path)], [method.toLowerCase()]: operation };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "llmlb",
      version: VERSION,
      description:
        "One address in front of all inference endpoints: OpenAI's, Anthropic's and \
Ollama's APIs, and what operators need. Paths under /v0 are older names of those under /api.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    tags: Object.keys(PARTS).map((name) => ({ name })),
    paths,
    components: {
      schemas: schemas.all,
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "A key: sk_…" },
        apiKey: { type: "apiKey", in: "header", name: "x-api-key", description: "A key: sk_…" },
        session: { type: "apiKey", in: "cookie", name: "llmlb_session", description: "A log-in" },
      },
    },
  };
}

/** The path in OpenAPI's spelling; a wildcard is a model's name, or a file's. */
function openPath(path: string): string {
  const wildcard = path.startsWith("/dashboard") ? "path" : "model";
  return path.replace(/:(\w+)/g, "{$1}").replace("*", `{${wildcard}}`);
}

interface OperationParts {
  route: string;
  path: string;
  found: FoundOperation;
  schemas: Schemas;
}

function operationObject({ route, path, found, schemas }: OperationParts): Json {
  const { part, operation, newer } = found;
  const { summary, description, query, body, takes } = operation;
  const rule = ruleOf(route);
  const [method = ""] = route.split(" ");
  const parameters = [
    ...pathParameters(path),
    ...(query === undefined ? [] : queryParameters(query)),
  ];
  const hasBody = body !== undefined || takes !== undefined;
  return {
    operationId: `${method.toLowerCase()}${openPath(path).replace(/[^A-Za-z0-9]+/g, "_")}`,
    tags: [part],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(newer === undefined ? {} : { deprecated: true, "x-newer": newer }),
    "x-permission": permissionText(rule),
    security: rule === "public" ? [] : [{ bearer: [] }, { apiKey: [] }, { session: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(hasBody ? { requestBody: requestBody(operation, schemas) } : {}),
    responses: {
      ...successResponse(operation, schemas),
      ...errorResponses({
        dialect: dialectOf(path),
        isPublic: rule === "public",
        hasBody,
        hasQuery: query !== undefined,
        hasPath: /[:*]/.test(path),
      }),
    },
  };
}

function permissionText(rule: Rule | undefined): string {
  if (rule === undefined) return "none: refused";
  return typeof rule === "string" ? rule : `${rule.local}, beyond this machine`;
}

function pathParameters(path: string): Json[] {
  const names = [...openPath(path).matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  return names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } }));
}

function queryParameters(query: z.ZodType): Json[] {
  const [read, given] = [schemaOf(query, "output"), schemaOf(query, "input")];
  const required = new Set((given.required ?? []) as string[]);
  const inputs = (given.properties ?? {}) as Record<string, Json>;
  return Object.entries((read.properties ?? inputs) as Record<string, Json>).map(
    ([name, schema]) => ({
      ...{ name, in: "query", required: required.has(name) },
      schema: "type" in schema || "enum" in schema ? schema : (inputs[name] ?? schema),
    }),
  );
}

function requestBody({ body, takes, example }: Operation, schemas: Schemas): Json {
  if (body === undefined) {
    return {
      required: true,
      content: { [takes ?? "application/json"]: { schema: { type: "object" } } },
    };
  }
  const schema = schemas.refer(body, "input");
  const content = { schema, ...(example === undefined ? {} : { example }) };
  return { required: true, content: { "application/json": content } };
}

function successResponse({ answer, status = 200, media }: Operation, schemas: Schemas): Json {
  if (status === 204) return { 204: { description: "Done" } };
  if (status === 302) return { 302: { description: "Somewhere else" } };
  const description = status === 201 ? "It was made" : "What was asked for";
  const schema = answer === undefined ? {} : schemas.refer(answer, "output");
  const content = media === undefined ? { "application/json": { schema } } : { [media]: {} };
  return { [status]: { description, content } };
}

/** The schemas that the document names. */
class Schemas {
  readonly all: Record<string, Json> = {};

  refer(named: NamedSchema, io: "input" | "output"): Json {
    const [[name, schema] = []] = Object.entries(named);
    if (name === undefined || schema === undefined) return {};
    this.all[name] ??= schemaOf(schema, io);
    return { $ref: `#/components/schemas/${name}` };
  }
}

/** What a schema of zod accepts, or makes of it; what JSON schema has no words for is anything. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...made } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return made;
}

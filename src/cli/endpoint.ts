import type { z } from "zod";
import {
  EndpointDetail,
  EndpointList,
  EndpointSync,
  EndpointTest,
  type EndpointView,
} from "../wire/endpoint.ts";
import { NewToken } from "../wire/enrolment.ts";
import { CliError, EXIT, type ExitCode } from "./exit.ts";
import { type Server, send } from "./server.ts";
import { type Paint, paintFor, printable, table } from "./terminal.ts";

const PATH = "/api/endpoints";

/** What every command of the group needs. */
export interface EndpointCommand {
  server: Server;
  /** Print the server's answer as it is. */
  json: boolean;
}

/** Adds an endpoint and tells what was found there. */
export async function addEndpoint(
  { server, json }: EndpointCommand,
  body: { name?: string; base_url: string; api_key?: string; slots?: number; notes?: string },
): Promise<ExitCode> {
  const name = body.name ?? URL.parse(body.base_url)?.host ?? body.base_url;
  const added = await call(server, PATH, EndpointDetail, { body: { ...body, name } });
  // A first look, so that a typing error shows at once; the endpoint stays whatever comes of it.
  const path = `${PATH}/${added.id}`;
  const test = await call(server, `${path}/test`, EndpointTest, { method: "POST" });
  const detail = await call(server, path, EndpointDetail);
  if (json) return print(detail);
  const { green, yellow } = paintFor(process.stdout);
  const models = `${detail.model_count} model${detail.model_count === 1 ? "" : "s"}`;
  line(
    test.success
      ? `${green("Added")} ${detail.name}: ${detail.base_url}, ${models}`
      : `${yellow("Added")} ${detail.name}, but it does not answer yet: ${test.error}`,
  );
  return EXIT.ok;
}

/** Shows all endpoints, or those of a state. */
export async function listEndpoints(
  { server, json }: EndpointCommand,
  filter: { status?: string; kind?: string },
): Promise<ExitCode> {
  const query = new URLSearchParams(Object.entries(filter));
  const answer = await call(server, `${PATH}?${query}`, EndpointList);
  if (json) return print(answer);
  if (answer.total === 0) {
    line("There are no such endpoints. Add one: llmlb endpoint add http://host:port");
    return EXIT.ok;
  }
  const paint = paintFor(process.stdout);
  const head = ["NAME", "STATE", "KIND", "MODELS", "BUSY", "LATENCY", "URL"].map(paint.dim);
  for (const row of table([head, ...answer.endpoints.map((one) => rowOf(one, paint))])) line(row);
  return EXIT.ok;
}

/** Shows everything about one endpoint. */
export async function showEndpoint(
  { server, json }: EndpointCommand,
  which: string,
): Promise<ExitCode> {
  const { id } = await find(server, which);
  const one = await call(server, `${PATH}/${id}`, EndpointDetail);
  if (json) return print(one);
  const paint = paintFor(process.stdout);
  const device = one.device_info?.gpu_devices.map(({ name }) => name).join(", ");
  const rows = [
    ["Id", one.id],
    ["URL", one.base_url],
    ["State", stateOf(one, paint)],
    ["Kind", one.kind ?? "not known yet"],
    ["From", one.source],
    ["Device", device || (one.device_info?.device_type ?? "-")],
    ["Busy", `${one.active_requests} of ${one.slots_in_effect} slots`],
    ["Latency", `check ${ms(one.latency_ms)}, first byte ${ms(one.inference_latency_ms)}`],
    ["Requests", `${one.total_requests}, ${one.failed_requests} failed`],
    ["Seen", one.last_seen ?? "never"],
    ["Checked", `every ${one.health_check_interval_secs} s`],
    ...(one.last_error === null ? [] : [["Error", paint.red(printable(one.last_error))]]),
    ...(one.notes === null ? [] : [["Notes", printable(one.notes)]]),
    ["Models", one.models.map(({ model_id }) => printable(model_id)).join(", ") || "none"],
  ];
  line(paint.bold(printable(one.name)));
  for (const row of table(rows, "  ")) line(row);
  return EXIT.ok;
}

/** Checks an endpoint now; exit code 1 if it does not answer as it should. */
export async function testEndpoint(
  { server, json }: EndpointCommand,
  which: string,
): Promise<ExitCode> {
  const { id, name } = await find(server, which);
  const test = await call(server, `${PATH}/${id}/test`, EndpointTest, { method: "POST" });
  const code = test.success ? EXIT.ok : EXIT.error;
  if (json) return print(test, code);
  const { green, red } = paintFor(process.stdout);
  const models = (test.models_found ?? []).map(printable).join(", ") || "none";
  if (test.success) {
    line(`${green("ok")} ${name} answered in ${ms(test.latency_ms)}; models: ${models}`);
  } else line(`${red("failed")} ${name}: ${printable(test.error ?? "")}`);
  return code;
}

/** Reads an endpoint's models now. */
export async function syncEndpoint(
  { server, json }: EndpointCommand,
  which: string,
): Promise<ExitCode> {
  const { id, name } = await find(server, which);
  const sync = await call(server, `${PATH}/${id}/sync`, EndpointSync, { method: "POST" });
  if (json) return print(sync);
  const { added, removed, updated } = sync;
  line(`${name}: ${added} added, ${removed} removed, ${updated} as before`);
  return EXIT.ok;
}

/** Removes an endpoint. */
export async function removeEndpoint(
  { server, json }: EndpointCommand,
  which: string,
): Promise<ExitCode> {
  const { id, name } = await find(server, which);
  await send(server, `${PATH}/${id}`, { method: "DELETE" });
  if (json) return print({ id, name, removed: true });
  line(`Removed ${name}`);
  return EXIT.ok;
}

/** Makes a token with which nodes enrol. */
export async function makeToken(
  { server, json }: EndpointCommand,
  body: { expires_in_secs?: number; max_uses?: number; note?: string },
): Promise<ExitCode> {
  const made = await call(server, "/api/enrolment-tokens", NewToken, { body });
  if (json) return print(made);
  line(made.token);
  // Beside the token, so that the token alone can be piped on.
  const uses = made.max_uses === null ? "any number of nodes" : `${made.max_uses} node(s)`;
  process.stderr.write(`For ${uses}, until ${made.expires_at}. It is not shown again. Use:\n`);
  process.stderr.write(`  llmlb node --join ${server.url} --token ${made.token}\n`);
  return EXIT.ok;
}

function rowOf(one: EndpointView, paint: Paint): string[] {
  return [
    printable(one.name),
    stateOf(one, paint),
    one.kind ?? "-",
    String(one.model_count),
    `${one.active_requests}/${one.slots_in_effect}`,
    ms(one.inference_latency_ms ?? one.latency_ms),
    printable(one.base_url),
  ];
}

function stateOf({ status }: EndpointView, { green, yellow, red }: Paint): string {
  if (status === "online") return green(status);
  return status === "pending" ? yellow(status) : red(status);
}

function ms(value: number | null): string {
  return value === null ? "-" : `${Math.round(value)} ms`;
}

/** The endpoint with this name or id. Throws `CliError` that names those there are. */
async function find(server: Server, which: string): Promise<EndpointView> {
  const { endpoints } = await call(server, PATH, EndpointList);
  const found =
    endpoints.find(({ name }) => name === which) ?? endpoints.find(({ id }) => id === which);
  if (found !== undefined) return found;
  const names = endpoints.map(({ name }) => printable(name)).join(", ") || "none";
  throw new CliError(`There is no endpoint ${which}. There are: ${names}`);
}

async function call<T>(
  server: Server,
  path: string,
  schema: z.ZodType<T>,
  request: Parameters<typeof send>[2] = {},
): Promise<T> {
  const response = await send(server, path, request);
  const result = schema.safeParse(await response.json());
  if (result.success) return result.data;
  throw new CliError(`${server.url} answered ${path} in another way than this llmlb understands.`);
}

function print(value: object, code: ExitCode = EXIT.ok): ExitCode {
  line(JSON.stringify(value, null, 2));
  return code;
}

function line(text: string): void {
  process.stdout.write(`${text}\n`);
}

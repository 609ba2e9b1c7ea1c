import {
  type EndpointChangeBody,
  EndpointDetail,
  EndpointList,
  EndpointSync,
  EndpointTest,
  type EndpointView,
} from "../../wire/endpoint.ts";
import { call, printLine as line, printJson as print, type ServerCommand } from "../client/call.ts";
import { type Server, send } from "../client/server.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { type Paint, paintFor, printable, table } from "../terminal/terminal.ts";

const PATH = "/api/endpoints";

/** Adds an endpoint and tells what was found there. */
export async function addEndpoint(
  { server, json }: ServerCommand,
  body: EndpointChangeBody & { base_url: string },
): Promise<ExitCode> {
  const name = body.name ?? URL.parse(body.base_url)?.host ?? body.base_url;
  const added = await call(server, PATH, EndpointDetail, { body: { ...body, name } });
  const { detail, test } = await look(server, added.id);
  return json ? print(detail) : tell("Added", detail, test);
}

/** Changes an endpoint, and tells what is found there if it is another server or key now. */
export async function changeEndpoint(
  { server, json }: ServerCommand,
  which: string,
  body: EndpointChangeBody,
): Promise<ExitCode> {
  const { id } = await find(server, which);
  const request = { method: "PATCH", body };
  const changed = await call(server, `${PATH}/${id}`, EndpointDetail, request);
  if (body.base_url === undefined && body.api_key === undefined) {
    return json ? print(changed) : tell("Changed", changed);
  }
  const { detail, test } = await look(server, id);
  return json ? print(detail) : tell("Changed", detail, test);
}

/** A first look, so that a typing error shows at once; whatever comes of it, the endpoint stays. */
async function look(server: Server, id: string) {
  const path = `${PATH}/${id}`;
  const test = await call(server, `${path}/test`, EndpointTest, { method: "POST" });
  return { test, detail: await call(server, path, EndpointDetail) };
}

function tell(done: string, detail: EndpointDetail, test?: EndpointTest): ExitCode {
  const { green, yellow } = paintFor(process.stdout);
  const models = `${detail.model_count} model${detail.model_count === 1 ? "" : "s"}`;
  const name = printable(detail.name);
  if (test?.success === false) {
    line(`${yellow(done)} ${name}, but it does not answer: ${printable(test.error ?? "")}`);
  } else line(`${green(done)} ${name}: ${printable(detail.base_url)}, ${models}`);
  return EXIT.ok;
}

/** Shows all endpoints, or those of a state. */
export async function listEndpoints(
  { server, json }: ServerCommand,
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
  { server, json }: ServerCommand,
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
  { server, json }: ServerCommand,
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
  { server, json }: ServerCommand,
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
  { server, json }: ServerCommand,
  which: string,
): Promise<ExitCode> {
  const { id, name } = await find(server, which);
  await send(server, `${PATH}/${id}`, { method: "DELETE" });
  if (json) return print({ id, name, removed: true });
  line(`Removed ${name}`);
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

import {
  type EndpointChangeBody,
  EndpointDetail,
  EndpointList,
  EndpointSync,
  EndpointTest,
  type EndpointView,
} from "../../wire/endpoint.ts";
import type { ClientContext } from "../client/options.ts";
import { requestJson, sendRequest } from "../client/request.ts";
import type { Server } from "../client/server.ts";
import { inCommands } from "../process/commandwords.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { type Colors, colorsFor } from "../terminal/color.ts";
import { printable, printJson, printLine } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";

const PATH = "/api/endpoints";

/** Adds an endpoint, tests it and prints the result. */
export async function addEndpoint(
  { server, json }: ClientContext,
  body: EndpointChangeBody & { base_url: string },
): Promise<ExitCode> {
  const name = body.name ?? URL.parse(body.base_url)?.host ?? body.base_url;
  const added = await requestJson(server, PATH, EndpointDetail, { body: { ...body, name } });
  const { detail, test } = await testAndRead(server, added.id);
  return json ? printJson(detail) : printResult("Added", detail, test);
}

/** Changes an endpoint, and tests it again if its URL or key changed. */
export async function changeEndpoint(
  { server, json }: ClientContext,
  which: string,
  body: EndpointChangeBody,
): Promise<ExitCode> {
  const { id } = await findEndpoint(server, which);
  const request = { method: "PATCH", body };
  const changed = await requestJson(server, `${PATH}/${id}`, EndpointDetail, request);
  const { base_url, api_key, tls_fingerprint } = body;
  if (base_url === undefined && api_key === undefined && tls_fingerprint === undefined) {
    return json ? printJson(changed) : printResult("Changed", changed);
  }
  const { detail, test } = await testAndRead(server, id);
  return json ? printJson(detail) : printResult("Changed", detail, test);
}

/** Tests a new endpoint, so that a typing error shows at once; a failed test removes nothing. */
async function testAndRead(server: Server, id: string) {
  const path = `${PATH}/${id}`;
  const test = await requestJson(server, `${path}/test`, EndpointTest, { method: "POST" });
  return { test, detail: await requestJson(server, path, EndpointDetail) };
}

function printResult(done: string, detail: EndpointDetail, test?: EndpointTest): ExitCode {
  const { green, yellow } = colorsFor(process.stdout);
  const models = `${detail.model_count} model${detail.model_count === 1 ? "" : "s"}`;
  const name = printable(detail.name);
  if (test?.success === false) {
    printLine(
      `${yellow(done)} ${name}, but it does not answer: ${printable(inCommands(test.error ?? ""))}`,
    );
  } else printLine(`${green(done)} ${name}: ${printable(detail.base_url)}, ${models}`);
  if (detail.models_limited != null) printLine(yellow(detail.models_limited));
  return EXIT.ok;
}

/** Prints all endpoints, or those of a status or kind. */
export async function listEndpoints(
  { server, json }: ClientContext,
  filter: { status?: string; kind?: string },
): Promise<ExitCode> {
  const query = new URLSearchParams(Object.entries(filter));
  const answer = await requestJson(server, `${PATH}?${query}`, EndpointList);
  if (json) return printJson(answer);
  if (answer.total === 0) {
    printLine("There are no such endpoints. Add one: llmlb endpoint add http://host:port");
    return EXIT.ok;
  }
  const paint = colorsFor(process.stdout);
  const head = ["NAME", "STATE", "KIND", "MODELS", "BUSY", "LATENCY", "URL"].map(paint.dim);
  for (const row of table([head, ...answer.endpoints.map((one) => rowOf(one, paint))]))
    printLine(row);
  for (const one of answer.endpoints) {
    if (one.api_key_unreadable) printLine(`${paint.red(printable(one.name))}: ${lostKey(one)}`);
    if (one.models_limited != null)
      printLine(`${paint.yellow(printable(one.name))}: ${one.models_limited}`);
  }
  return EXIT.ok;
}

/** Prints all facts of one endpoint. */
export async function showEndpoint(
  { server, json }: ClientContext,
  which: string,
): Promise<ExitCode> {
  const { id } = await findEndpoint(server, which);
  const one = await requestJson(server, `${PATH}/${id}`, EndpointDetail);
  if (json) return printJson(one);
  const paint = colorsFor(process.stdout);
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
    ...(one.api_key_unreadable ? [["Key", paint.red(lostKey(one))]] : []),
    ...(one.last_error === null ? [] : [["Error", paint.red(printable(one.last_error))]]),
    ...(one.last_request_error == null
      ? []
      : [["Requests fail", paint.red(printable(inCommands(one.last_request_error)))]]),
    ...(one.models_limited == null ? [] : [["Limited", paint.yellow(one.models_limited)]]),
    ...(one.tls_fingerprint === null ? [] : [["Certificate", one.tls_fingerprint]]),
    ...(one.notes === null ? [] : [["Notes", printable(one.notes)]]),
    ["Models", one.models.map(({ model_id }) => printable(model_id)).join(", ") || "none"],
  ];
  printLine(paint.bold(printable(one.name)));
  for (const row of table(rows, "  ")) printLine(row);
  return EXIT.ok;
}

/** Checks an endpoint now; exit code 1 if it does not answer as it should. */
export async function testEndpoint(
  { server, json }: ClientContext,
  which: string,
): Promise<ExitCode> {
  const { id, name } = await findEndpoint(server, which);
  const test = await requestJson(server, `${PATH}/${id}/test`, EndpointTest, { method: "POST" });
  const code = test.success ? EXIT.ok : EXIT.error;
  if (json) return printJson(test, code);
  const { green, red } = colorsFor(process.stdout);
  const models = (test.models_found ?? []).map(printable).join(", ") || "none";
  if (test.success) {
    printLine(`${green("ok")} ${name} answered in ${ms(test.latency_ms)}; models: ${models}`);
  } else printLine(`${red("failed")} ${name}: ${printable(inCommands(test.error ?? ""))}`);
  return code;
}

/** Makes the balancer read an endpoint's list of models now. */
export async function syncEndpoint(
  { server, json }: ClientContext,
  which: string,
): Promise<ExitCode> {
  const { id, name } = await findEndpoint(server, which);
  const sync = await requestJson(server, `${PATH}/${id}/sync`, EndpointSync, { method: "POST" });
  if (json) return printJson(sync);
  const { added, removed, updated } = sync;
  printLine(`${name}: ${added} added, ${removed} removed, ${updated} as before`);
  return EXIT.ok;
}

/** Gives an endpoint no further requests, and says how many it still works on. */
export async function drainEndpoint(context: ClientContext, which: string): Promise<ExitCode> {
  const drained = await setDraining(context, which, "drain");
  if (context.json) return printJson(drained);
  const { active_requests: running } = drained;
  const left = running === 0 ? "nothing runs on it" : `${running} still run on it`;
  printLine(`${printable(drained.name)} gets no further requests; ${left}`);
  return EXIT.ok;
}

/** Gives an endpoint requests again. */
export async function undrainEndpoint(context: ClientContext, which: string): Promise<ExitCode> {
  const { name, ...rest } = await setDraining(context, which, "undrain");
  if (context.json) return printJson({ name, ...rest });
  printLine(`${printable(name)} gets requests again`);
  return EXIT.ok;
}

async function setDraining(
  { server }: ClientContext,
  which: string,
  action: "drain" | "undrain",
): Promise<EndpointDetail> {
  const { id } = await findEndpoint(server, which);
  return requestJson(server, `${PATH}/${id}/${action}`, EndpointDetail, { method: "POST" });
}

/** Removes an endpoint. */
export async function removeEndpoint(
  { server, json }: ClientContext,
  which: string,
): Promise<ExitCode> {
  const { id, name } = await findEndpoint(server, which);
  await sendRequest(server, `${PATH}/${id}`, { method: "DELETE" });
  if (json) return printJson({ id, name, removed: true });
  printLine(`Removed ${name}`);
  return EXIT.ok;
}

/** An endpoint's key is sealed with `secret.key`, which was lost or is another one now. */
function lostKey({ name }: EndpointView): string {
  return `its API key cannot be read, secret.key is not the one it was stored with. Set it again: \
llmlb endpoint set ${name} --key -`;
}

function rowOf(one: EndpointView, paint: Colors): string[] {
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

function stateOf({ status, draining }: EndpointView, { green, yellow, red }: Colors): string {
  if (draining) return yellow(`${status}, drained`);
  if (status === "online") return green(status);
  return status === "pending" ? yellow(status) : red(status);
}

function ms(value: number | null): string {
  return value === null ? "-" : `${Math.round(value)} ms`;
}

/** The endpoint with this name or id. Throws `CliError` that lists all endpoints. */
export async function findEndpoint(server: Server, which: string): Promise<EndpointView> {
  const { endpoints } = await requestJson(server, PATH, EndpointList);
  const found =
    endpoints.find(({ name }) => name === which) ?? endpoints.find(({ id }) => id === which);
  if (found !== undefined) return found;
  const names = endpoints.map(({ name }) => printable(name)).join(", ") || "none";
  throw new CliError(`There is no endpoint ${which}. There are: ${names}`);
}

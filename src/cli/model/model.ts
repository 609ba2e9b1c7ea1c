import { formatBytes } from "../../config/units.ts";
import { encodedName } from "../../http/server/query.ts";
import {
  type ModelChangeBody,
  type RegisterBody,
  RegisteredDetail,
  RegisteredList,
  type RegisteredModel,
  Registration,
} from "../../wire/registry.ts";
import { ModelProgress } from "../../wire/sync.ts";
import type { ClientContext } from "../client/options.ts";
import { requestJson, sendRequest } from "../client/request.ts";
import type { Server } from "../client/server.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { type Colors, colorsFor } from "../terminal/color.ts";
import { printable, printJson, printLine } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";
import { withoutSpellings } from "./spelling.ts";
import { whyNotReady, workerAdvice } from "./unreadiness.ts";

const PATH = "/api/models";

/** How a list is printed. */
export type ListFormat = "table" | "json" | "ids";

/** Registers a model of the hub and prints its size and variants. */
export async function addRegisteredModel(
  { server, json }: ClientContext,
  body: RegisterBody,
): Promise<ExitCode> {
  const added = await requestJson(server, `${PATH}/register`, Registration, { body });
  if (json) return printJson(added);
  const { green, yellow } = colorsFor(process.stdout);
  const size = formatBytes(added.size_bytes);
  printLine(`${green("Registered")} ${printable(added.id)}: ${printable(added.filename)}, ${size}`);
  if (added.variants.length > 1) {
    const names = added.variants.map((one) => one.quantization ?? one.filename);
    printLine(`Nodes choose among: ${names.map(printable).join(", ")}`);
  }
  for (const warning of added.warnings) printLine(`${yellow("Note:")} ${printable(warning)}`);
  return EXIT.ok;
}

/** Prints the registered models, or those that match a filter. */
export async function listRegisteredModels(
  { server, json }: ClientContext,
  filter: { search?: string; limit?: number; offset?: number },
  format: ListFormat,
): Promise<ExitCode> {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(filter)) query.set(key, String(value));
  const answer = await requestJson(server, `${PATH}?${query}`, RegisteredList);
  if (json || format === "json") return printJson(answer);
  if (format === "ids") {
    for (const { id } of answer.data) printLine(printable(id));
    return EXIT.ok;
  }
  if (answer.data.length === 0) {
    const isAll = Object.keys(filter).length === 0;
    const what = isAll ? "No model is registered" : "No registered model is like that";
    printLine(`${what}. Add one: llmlb model add org/name. What is served: llmlb status`);
    return EXIT.ok;
  }
  const paint = colorsFor(process.stdout);
  const reasons = await reasonsOf(server, answer.data);
  const titles = [
    "MODEL",
    "STATE",
    "SIZE",
    "QUANT",
    "ALIASES",
    ...(reasons.size > 0 ? ["WHY"] : []),
  ];
  const rows = answer.data.map((one) => [...rowOf(one, paint), reasons.get(one.id) ?? ""]);
  for (const row of table([titles.map(paint.dim), ...rows])) printLine(row);
  if (answer.data.length < answer.total)
    printLine(`${answer.data.length} of ${answer.total} models`);
  return EXIT.ok;
}

/** Prints all facts of one model. */
export async function showRegisteredModel(
  { server, json }: ClientContext,
  which: string,
): Promise<ExitCode> {
  const one = await requestJson(server, registeredModelPath(which), RegisteredDetail);
  if (json) return printJson(one);
  const paint = colorsFor(process.stdout);
  const variants = one.variants.map(({ quantization, filename, size_bytes: size }) => {
    return `${quantization ?? filename} (${formatBytes(size)})`;
  });
  const rows = [
    ["Repository", one.repo],
    ["Commit", one.revision ?? "not known yet"],
    ["Kind", one.kind ?? "not known yet"],
    ["File", one.filename ?? one.primary ?? "-"],
    ["Size", `${formatBytes(one.size_bytes)}, ${formatBytes(one.required_memory)} of memory`],
    ...(variants.length > 1 ? [["Variants", variants.join(", ")]] : []),
    ["Nodes", one.nodes?.join(", ") ?? (one.replicas === null ? "all" : `${one.replicas} of all`)],
    ...(one.settings === null ? [] : [["Runs with", JSON.stringify(one.settings)]]),
    ["Names", withoutSpellings(one.names).join(", ")],
    ["Since", one.registered_at],
    ...[...(await reasonsOf(server, [one])).values()].map((why) => ["Not ready", why]),
    ...one.warnings.map((warning) => ["Note", warning]),
  ];
  printLine(`${paint.bold(printable(one.id))}  ${stateOf(one, paint)}`);
  for (const row of table(
    rows.map((row) => row.map(printable)),
    "  ",
  ))
    printLine(row);
  return EXIT.ok;
}

/** The models of a list that are asked for why they are not ready. */
const REASONS_MAX = 50;

/** Why models are not ready, by id; a balancer without such reports has none. */
async function reasonsOf(server: Server, models: RegisteredModel[]): Promise<Map<string, string>> {
  const reasons = new Map<string, string>();
  const unready = models.filter(({ ready }) => !ready).slice(0, REASONS_MAX);
  const ask = async (one: RegisteredModel) => {
    const path = `${registeredModelPath(one.id)}/progress`;
    const progress = await requestJson(server, path, ModelProgress);
    const why = [whyNotReady(one, progress.nodes), workerAdvice(one.id, progress)];
    const text = why.filter((part) => part !== undefined).join("; ");
    if (text !== "") reasons.set(one.id, printable(text));
  };
  // Only a reason is missing where one cannot be told.
  await Promise.all(unready.map((one) => ask(one).catch(() => undefined)));
  return reasons;
}

/** Changes the names of a model and the nodes that hold it. */
export async function changeRegisteredModel(
  { server, json }: ClientContext,
  which: string,
  body: ModelChangeBody,
): Promise<ExitCode> {
  const request = { method: "PATCH", body };
  const changed = await requestJson(server, registeredModelPath(which), RegisteredDetail, request);
  if (json) return printJson(changed);
  printLine(`Changed ${printable(changed.id)}`);
  return EXIT.ok;
}

/** Removes a model from the registry; nodes delete the files they downloaded for it. */
export async function removeRegisteredModel(
  { server, json }: ClientContext,
  which: string,
): Promise<ExitCode> {
  const { id } = await requestJson(server, registeredModelPath(which), RegisteredDetail);
  await sendRequest(server, registeredModelPath(id), { method: "DELETE" });
  if (json) return printJson({ id, removed: true });
  printLine(`Removed ${printable(id)}`);
  return EXIT.ok;
}

/** The path of a model in the API; slashes in its name stay. */
export function registeredModelPath(name: string): string {
  return `${PATH}/${encodedName(name)}`;
}

function rowOf(one: RegisteredModel, paint: Colors): string[] {
  return [
    printable(one.id),
    stateOf(one, paint),
    one.status === "pending" ? "-" : formatBytes(one.size_bytes),
    printable(
      one.quantization ?? (one.variants.length > 1 ? `any of ${one.variants.length}` : "-"),
    ),
    printable(one.aliases.join(", ")) || "-",
  ];
}

function stateOf({ ready, status }: RegisteredModel, { green, yellow }: Colors): string {
  return ready ? green("ready") : yellow(status);
}

import { formatBytes } from "../../config/units.ts";
import {
  type ModelChangeBody,
  type RegisterBody,
  RegisteredDetail,
  RegisteredList,
  type RegisteredModel,
  Registration,
} from "../../wire/registry.ts";
import { call, printLine as line, printJson as print, type ServerCommand } from "../client/call.ts";
import { send } from "../client/server.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { type Paint, paintFor, printable, table } from "../terminal/terminal.ts";

const PATH = "/api/models";

/** How a list is printed. */
export type ListFormat = "table" | "json" | "ids";

/** Registers a model of the hub and tells what it is. */
export async function addModel(
  { server, json }: ServerCommand,
  body: RegisterBody,
): Promise<ExitCode> {
  const added = await call(server, `${PATH}/register`, Registration, { body });
  if (json) return print(added);
  const { green, yellow } = paintFor(process.stdout);
  const size = formatBytes(added.size_bytes);
  line(`${green("Registered")} ${printable(added.id)}: ${printable(added.filename)}, ${size}`);
  if (added.variants.length > 1) {
    const names = added.variants.map((one) => one.quantization ?? one.filename);
    line(`Nodes choose among: ${names.map(printable).join(", ")}`);
  }
  for (const warning of added.warnings) line(`${yellow("Note:")} ${printable(warning)}`);
  return EXIT.ok;
}

/** Shows the registered models, or those that fit. */
export async function listModels(
  { server, json }: ServerCommand,
  filter: { search?: string; limit?: number; offset?: number },
  format: ListFormat,
): Promise<ExitCode> {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(filter)) query.set(key, String(value));
  const answer = await call(server, `${PATH}?${query}`, RegisteredList);
  if (json || format === "json") return print(answer);
  if (format === "ids") {
    for (const { id } of answer.data) line(printable(id));
    return EXIT.ok;
  }
  if (answer.data.length === 0) {
    line("There are no such models. Add one: llmlb model add org/name");
    return EXIT.ok;
  }
  const paint = paintFor(process.stdout);
  const head = ["MODEL", "STATE", "SIZE", "QUANT", "ALIASES"].map(paint.dim);
  for (const row of table([head, ...answer.data.map((one) => rowOf(one, paint))])) line(row);
  if (answer.data.length < answer.total) line(`${answer.data.length} of ${answer.total} models`);
  return EXIT.ok;
}

/** Shows everything about one model. */
export async function showModel({ server, json }: ServerCommand, which: string): Promise<ExitCode> {
  const one = await call(server, pathOf(which), RegisteredDetail);
  if (json) return print(one);
  const paint = paintFor(process.stdout);
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
    ["Names", one.names.join(", ")],
    ["Since", one.registered_at],
    ...one.warnings.map((warning) => ["Note", warning]),
  ];
  line(`${paint.bold(printable(one.id))}  ${stateOf(one, paint)}`);
  for (const row of table(
    rows.map((row) => row.map(printable)),
    "  ",
  ))
    line(row);
  return EXIT.ok;
}

/** Changes how a model is called and where it shall be. */
export async function changeModel(
  { server, json }: ServerCommand,
  which: string,
  body: ModelChangeBody,
): Promise<ExitCode> {
  const request = { method: "PATCH", body };
  const changed = await call(server, pathOf(which), RegisteredDetail, request);
  if (json) return print(changed);
  line(`Changed ${printable(changed.id)}`);
  return EXIT.ok;
}

/** Forgets a model; nodes delete what they fetched of it. */
export async function removeModel(
  { server, json }: ServerCommand,
  which: string,
): Promise<ExitCode> {
  const { id } = await call(server, pathOf(which), RegisteredDetail);
  await send(server, pathOf(id), { method: "DELETE" });
  if (json) return print({ id, removed: true });
  line(`Removed ${printable(id)}`);
  return EXIT.ok;
}

/** Where a model is in the API; its slashes stay. */
export function pathOf(name: string): string {
  return `${PATH}/${name.split("/").map(encodeURIComponent).join("/")}`;
}

function rowOf(one: RegisteredModel, paint: Paint): string[] {
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

function stateOf({ ready, status }: RegisteredModel, { green, yellow }: Paint): string {
  return ready ? green("ready") : yellow(status);
}

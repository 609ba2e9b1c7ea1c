import { existsSync } from "node:fs";
import type { ClientSettings } from "../../config/clientsettings.ts";
import { logFileOf } from "../../config/fields/storage.ts";
import type { Settings } from "../../config/settings.ts";
import { parseJson } from "../../lib/json.ts";
import type { LogEntry } from "../../lib/logentry.ts";
import { readOlderLines } from "../../lib/loghistory.ts";
import { sleep } from "../../lib/sleep.ts";
import {
  LogAnswer,
  LogFrame,
  LogLevelBody,
  LogQuery,
  linesOf,
  logFilterOf,
} from "../../wire/log.ts";
import { eventData } from "../chat/eventdata.ts";
import { requestJson, sendRequest } from "../client/request.ts";
import { findServer, type Server } from "../client/server.ts";
import { findEndpoint } from "../endpoint/endpoint.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { listPidFiles } from "../process/pidfile.ts";
import { colorsFor } from "../terminal/color.ts";
import { printJson, printLine, printNote, printText } from "../terminal/output.ts";
import { entryLine } from "./line.ts";

interface LogsContext {
  client: ClientSettings;
  settings: Settings;
  json: boolean;
}

interface LogsRequest extends LogsContext {
  /** As `LogQuery` has it. */
  query: URLSearchParams;
  /** Name or id of an endpoint; undefined: the server's own log. */
  endpoint: string | undefined;
}

const RETRY_MS = 1000;

/** Prints the last lines of a log. Throws `CliError`. */
export async function showLog(request: LogsRequest): Promise<ExitCode> {
  const { client, settings, json, query } = request;
  if (readsFile(request)) return showFile(settings, query, json);
  const server = findServer(client, settings);
  const answer = await requestJson(server, await pathOf(server, request), LogAnswer);
  if (json) return printJson(answer);
  for (const entry of answer.entries) print(entry, false);
  return EXIT.ok;
}

/**
 * Prints the last lines of a log, and each new one until `signal` is aborted. Goes on with an llmlb
 * that ends and comes again. Throws `CliError` if none answers at first.
 */
export async function followLog(request: LogsRequest, signal: AbortSignal): Promise<ExitCode> {
  const { client, settings, json, query } = request;
  query.set("follow", "true");
  let isThere = false;
  let isLost = false;
  for (;;) {
    try {
      const server = findServer(client, settings);
      const response = await sendRequest(server, await pathOf(server, request), { signal });
      isThere = true;
      isLost = false;
      for await (const data of eventData(response.body ?? new ReadableStream())) {
        const frame = LogFrame.safeParse(parseJson(data)).data;
        if (frame === undefined) continue; // As what proxies add.
        printFrame(frame, json);
        if ("id" in frame) goOnAfter(query, frame);
      }
    } catch (error) {
      if (signal.aborted) return EXIT.interrupted;
      if (!isThere || (error instanceof CliError && error.exitCode !== EXIT.unreachable))
        throw error;
      if (!isLost) printNote("The connection was lost: waiting until it answers again.");
      isLost = true;
    }
    if (signal.aborted) return EXIT.interrupted;
    await sleep(RETRY_MS, signal).catch(() => undefined);
  }
}

/** Sets the least severe level that a running llmlb writes. */
export async function setLogLevel(
  { client, settings }: LogsContext,
  given: string,
): Promise<ExitCode> {
  const server = findServer(client, settings);
  const body = { level: given };
  const { level } = await requestJson(server, "/api/log/level", LogLevelBody, { body });
  printLine(`The log of ${server.url} has lines of level ${level} and above now.`);
  return EXIT.ok;
}

/** What is asked for the next time: what came after this line, also of another run. */
function goOnAfter(query: URLSearchParams, { id, timestamp }: { id: string; timestamp: string }) {
  query.set("last_event_id", id);
  query.set("since", new Date(Date.parse(timestamp) + 1).toISOString());
  query.set("limit", "1000");
}

/** Whether the log's file is all there is: no server was named, and none runs from this home. */
function readsFile({ client, settings, endpoint }: LogsRequest): boolean {
  const { url } = client;
  return url === undefined && endpoint === undefined && listPidFiles(settings.home).length === 0;
}

async function showFile(
  settings: Settings,
  query: URLSearchParams,
  json: boolean,
): Promise<ExitCode> {
  const result = LogQuery.safeParse(Object.fromEntries(query));
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new CliError(`${String(issue?.path[0])}: ${issue?.message}`, EXIT.usage);
  }
  const path = logFileOf(settings);
  if (path === undefined) throw new CliError("No llmlb runs here, and its log has no file.");
  const wanted = { filter: logFilterOf(result.data), max: linesOf(result.data) };
  const entries = await readOlderLines(path, wanted);
  if (json) return printJson({ source: "file", entries, path } satisfies LogAnswer);
  for (const entry of entries) print(entry, false);
  const what = existsSync(path) ? `these are lines of ${path}` : `there is no ${path} either`;
  printNote(`No llmlb runs from ${settings.home}: ${what}.`);
  return EXIT.ok;
}

async function pathOf(server: Server, { endpoint, query }: LogsRequest): Promise<string> {
  if (endpoint === undefined) return `/api/logs?${query}`;
  const { id } = await findEndpoint(server, endpoint);
  return `/api/endpoints/${id}/logs?${query}`;
}

function printFrame(frame: LogFrame, json: boolean): void {
  if ("dropped" in frame) printNote(`… ${frame.dropped} lines were left out: too many at a time.`);
  else {
    const { id: _id, ...entry } = frame;
    print(entry, json);
  }
}

function print(entry: LogEntry, json: boolean): void {
  if (json) printText(`${JSON.stringify(entry)}\n`);
  else printLine(entryLine(entry, colorsFor(process.stdout)));
}

import { sleep } from "../../lib/sleep.ts";
import { ModelProgress, ModelPullAnswer } from "../../wire/sync.ts";
import type { ClientContext } from "../client/options.ts";
import { requestJson } from "../client/request.ts";
import type { Server } from "../client/server.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { colorsFor } from "../terminal/color.ts";
import { printable, printLine } from "../terminal/output.ts";
import { createPullDisplay } from "../terminal/pulldisplay.ts";
import type { PullDisplay } from "../terminal/pullprogress.ts";
import { registeredModelPath } from "./model.ts";
import { isFinished, type NodeReports, progressOfNodes } from "./nodepulls.ts";

interface PullOptions {
  /** Do not wait for the nodes. */
  detach: boolean;
  /** Ends the watching; the nodes go on. */
  signal: AbortSignal;
}

/** Time between two looks at the progress. */
const POLL_MS = 500;

/**
 * Makes the nodes that are to have a model download it now, and watches them. Exit code 1 if one of
 * them fails or reports nothing. Throws `CliError`.
 */
export async function pullOnNodes(
  { server, json }: ClientContext,
  which: string,
  { detach, signal }: PullOptions,
): Promise<ExitCode> {
  const pulling = await requestJson(server, `${registeredModelPath(which)}/pull`, ModelPullAnswer, {
    method: "POST",
  });
  const names = pulling.nodes.map(printable).join(", ");
  if (detach) {
    printLine(
      json ? JSON.stringify(pulling) : `${printable(pulling.model)}: ${names} will fetch it`,
    );
    return EXIT.ok;
  }
  const display = json ? undefined : await createPullDisplay();
  try {
    const nodes = await watch({ server, pulling, signal, display, json });
    display?.end();
    return printOutcome(pulling, nodes, json);
  } catch (cause) {
    display?.end();
    if (!signal.aborted) throw cause;
    const advice = `To look again: llmlb model pull ${which}`;
    throw new CliError(`Stopped watching; the nodes go on. ${advice}`, EXIT.interrupted);
  }
}

interface WatchOptions {
  server: Server;
  pulling: ModelPullAnswer;
  signal: AbortSignal;
  display: PullDisplay | undefined;
  json: boolean;
}

/** Prints the progress until every node is finished; returns their last reports. */
async function watch({
  server,
  pulling,
  signal,
  display,
  json,
}: WatchOptions): Promise<NodeReports> {
  const path = `${registeredModelPath(pulling.model)}/progress`;
  const begunAt = performance.now();
  let last = "";
  for (;;) {
    const now = await requestJson(server, path, ModelProgress, { signal });
    const text = JSON.stringify(now);
    if (json && text !== last) printLine(text);
    last = text;
    display?.show(progressOfNodes(now, pulling.nodes));
    if (isFinished(now.nodes, pulling.nodes, performance.now() - begunAt)) return now.nodes;
    await sleep(POLL_MS, signal);
  }
}

function printOutcome(
  { model, nodes: names }: ModelPullAnswer,
  nodes: NodeReports,
  json: boolean,
): ExitCode {
  const { green, red } = colorsFor(process.stdout);
  let code: ExitCode = EXIT.ok;
  for (const name of names) {
    const node = nodes.find((one) => one.node === name);
    const isReady = node?.state === "ready";
    if (!isReady) code = EXIT.error;
    if (json) continue;
    const why = node?.error?.message ?? `${name} said nothing of it: see its log`;
    const state = isReady ? green("ready") : `${red("failed")}: ${printable(why)}`;
    printLine(`${printable(model)} on ${printable(name)}: ${state}`);
  }
  return code;
}

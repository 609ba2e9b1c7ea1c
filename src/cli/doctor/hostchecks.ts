import { createServer } from "node:net";
import type { Settings } from "../../config/settings.ts";
import { fileLimit } from "../../lib/filedescriptors.ts";
import { describePortOwner } from "../process/port.ts";
import type { Finding } from "./finding.ts";

/** Each request takes a connection to a client and one to an engine. */
const FILES_MIN = 4096;

/** Checks that the ports of a standalone llmlb are free, and names the process that uses one. */
export async function checkPorts({ host, port, nodePort, home }: Settings): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [number, address] of [
    [port, host],
    [nodePort, "127.0.0.1"],
  ] as const) {
    const subject = `Port ${number}`;
    if (await isFree(address, number)) {
      findings.push({ subject, state: "ok", text: `free on ${address}` });
      continue;
    }
    const owner = describePortOwner(number, home) ?? "a program of another user";
    findings.push({ subject, state: "note", text: `in use by ${owner}` });
  }
  return findings;
}

/** Checks how many files and connections a process of this user may have open. */
export function checkFileLimit(): Finding {
  const subject = "Open files";
  const limit = fileLimit();
  if (limit === undefined) return { subject, state: "ok", text: "limit unknown on this system" };
  if (limit >= FILES_MIN) return { subject, state: "ok", text: `up to ${limit}` };
  const text = `only ${limit}: raise it for many clients (ulimit -n ${FILES_MIN})`;
  return { subject, state: "note", text };
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ host, port }, () => server.close(() => resolve(true)));
  });
}

import { formatBytes } from "../../config/units.ts";
import { probeDevices } from "../../engine/deviceprobe.ts";
import { createLogger } from "../../lib/log.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { printJson, printLine } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";

/** Prints the devices that models can run on, by the names that `--device` takes. */
export async function printDevices(home: string, json: boolean): Promise<ExitCode> {
  const devices = await probeDevices({ home, log: createLogger({ level: "silent" }) });
  if (json) return printJson({ devices });
  const rows = devices.map((one) => [
    ...[one.name, one.type],
    `${formatBytes(one.free_memory_bytes)} of ${formatBytes(one.total_memory_bytes)}`,
    one.description,
  ]);
  for (const line of table([["DEVICE", "TYPE", "FREE MEMORY", "DESCRIPTION"], ...rows])) {
    printLine(line);
  }
  return EXIT.ok;
}

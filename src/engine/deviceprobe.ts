import type { Logger } from "../lib/log.ts";
import type { Device } from "../wire/system.ts";
import { libraryDirectories } from "./library.ts";
import { queryEngine } from "./query.ts";

export interface DeviceProbeOptions {
  /** The data folder. */
  home: string;
  log: Logger;
}

/** Lists this host's compute devices from a short-lived process, so that no driver can crash us. */
export async function probeDevices({ home, log }: DeviceProbeOptions): Promise<Device[]> {
  const directories = await libraryDirectories(home, log);
  return (await queryEngine({ type: "probe", directories }, "devices", log)).devices;
}

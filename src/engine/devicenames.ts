import type { Device } from "../wire/system.ts";
import { type DeviceProbeOptions, probeDevices } from "./deviceprobe.ts";

/** How llama.cpp refuses a device that it does not have. */
const REFUSAL = /.*invalid device: ([^\s.]+).*/s;

/**
 * A message of llama.cpp that refuses a device, with the names of those that there are; any other
 * message as it is.
 */
export async function withDeviceNames(why: string, options: DeviceProbeOptions): Promise<string> {
  const [, name] = REFUSAL.exec(why) ?? [];
  if (name === undefined) return why;
  return noSuchDevice(name, await probeDevices(options).catch(() => []));
}

/** That there is no device of a name, and which there are, as a sentence. */
export function noSuchDevice(name: string, devices: Device[]): string {
  const others = devices.filter(({ type }) => type !== "cpu").map((device) => device.name);
  const there =
    others.length === 0
      ? "there is none but the processor (leave it out, or say none)"
      : `there ${others.length === 1 ? "is" : "are"} ${others.join(", ")}, or none`;
  return `no device ${name} is here: ${there}. \`llmlb backend devices\` shows them.`;
}

/** The arguments among llama-server's that name devices, each with its value. */
export function deviceArguments(args: readonly string[]): string[] {
  return args.flatMap((arg, at) => {
    const [name = "", value = args[at + 1]] = arg.split("=", 2);
    return NAMES.has(name) && value !== undefined ? [name, value] : [];
  });
}

const NAMES = new Set(["-dev", "--device"]);

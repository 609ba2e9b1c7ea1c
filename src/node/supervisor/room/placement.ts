import type { MemoryEstimate } from "../../../model/memory.ts";
import { argumentOf } from "../argumentlist.ts";
import { HOST, type Memory } from "./memory.ts";

export interface PlacementOptions {
  /** llama-server's arguments. */
  args: readonly string[];
  /** Of the model; 0 if that could not be read. */
  layers: number;
  /** What is free on each device with its own memory. */
  devices: Memory;
}

/**
 * Where llama.cpp will put what an engine takes: layers on the devices, all unless arguments say
 * otherwise, with their part of the cache; the rest in the host's memory. Devices share by what is
 * free on each, or as `--tensor-split` says.
 */
export function placeMemory(
  { weights, cache, compute }: MemoryEstimate,
  { args, layers, devices }: PlacementOptions,
): Memory {
  const total = weights + cache + compute;
  const shares = deviceShares(args, devices);
  const offloaded = layerShare(args, layers);
  if (shares.length === 0 || offloaded === 0) return { [HOST]: total };
  const isCacheOnHost = ["--no-kv-offload", "-nkvo"].some((name) => args.includes(name));
  const onDevices = (weights + (isCacheOnHost ? 0 : cache)) * offloaded + compute;
  const parts = shares.map(([name, share]): [string, number] => [name, onDevices * share]);
  return { ...Object.fromEntries(parts), [HOST]: total - onDevices };
}

/** Whether arguments leave it to llama.cpp how many layers go to devices. */
export function leavesLayersOpen(args: readonly string[]): boolean {
  const value = argumentOf(args, ...LAYER_NAMES) ?? "auto";
  return value === "auto" || Number(value) < 0;
}

const LAYER_NAMES = ["--gpu-layers", "--n-gpu-layers", "-ngl"];

/** Which part of the layers goes to devices. The output counts as one more. */
function layerShare(args: readonly string[], layers: number): number {
  const value = argumentOf(args, ...LAYER_NAMES);
  const count = Number(value ?? "auto");
  if (Number.isNaN(count) || count < 0) return 1;
  return layers === 0 ? Math.min(1, count) : Math.min(1, count / (layers + 1));
}

/** The devices that the engine may use, with the part of it that each takes. */
function deviceShares(args: readonly string[], devices: Memory): [name: string, share: number][] {
  const named = argumentOf(args, "--device", "-dev")?.split(",");
  const names = Object.keys(devices).filter((name) => named?.includes(name) ?? true);
  const split = argumentOf(args, "--tensor-split", "-ts")?.split(/[,/]/).map(Number);
  const isSingle = argumentOf(args, "--split-mode", "-sm") === "none";
  const main = Number(argumentOf(args, "--main-gpu", "-mg") ?? 0);
  const weightOf = (name: string, i: number) => {
    if (isSingle) return i === main ? 1 : 0;
    return split?.[i] ?? (split === undefined ? Math.max(1, devices[name] ?? 0) : 0);
  };
  const weights = names.map(weightOf);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (!(sum > 0)) return names.map((name) => [name, 1 / names.length]);
  return names.map((name, i) => [name, (weights[i] ?? 0) / sum]);
}

import { formatBytes, formatDuration } from "../../../config/units.ts";
import { EngineLoadError } from "../../../engine/loaderror.ts";
import { ALL, bytesIn, type Memory, totalOf } from "./memory.ts";

/** An engine as far as errors name it. */
interface Holder {
  readonly label: string;
  readonly isPinned: boolean;
}

/** Others had work all the time: `no_room`. */
export function noRoomError(
  { label }: Holder,
  { need, free }: { need: Memory; free: Memory },
  { residents, waitedMs }: { residents: readonly Holder[]; waitedMs: number },
): EngineLoadError {
  const holders = residents.map((one) => one.label).join(", ");
  const message = `It takes about ${memoryText(need)}, of which ${freeText(need, free)} are free, \
and for ${formatDuration(waitedMs)} ${holders} had work all the time. Ask again later.`;
  return new EngineLoadError("no_room", `Loading ${label} has to wait: ${message}`);
}

interface Shortage {
  budget: Memory;
  /** The memory that is too small; undefined: there is no place beside the pinned ones. */
  memory?: string;
  /** What could be had of it. */
  bytes: number;
  residents: readonly Holder[];
  enginesMax: number;
}

/** There will never be room: `too_large`. */
export function tooLargeError(
  { label }: Holder,
  need: Memory,
  { budget, memory, bytes, residents, enginesMax }: Shortage,
): EngineLoadError {
  const pinned = residents.filter(({ isPinned }) => isPinned);
  const names = pinned.map((one) => one.label).join(", ");
  if (memory === undefined) {
    const places = `at most ${enginesMax} models are loaded (--models-max)`;
    const message = `There is no place for ${label}: ${places}, and ${names} stay loaded.`;
    return new EngineLoadError("too_large", message);
  }
  const why = names === "" ? "" : ` (${names} stay loaded)`;
  const where = memory === ALL ? "" : ` in the memory of ${memory}`;
  const message = `${label} takes about ${formatBytes(bytesIn(need, memory))}${where}, but of \
${formatBytes(budget[memory] ?? 0)} for all models at most ${formatBytes(bytes)} can be had${why}. \
Lower --ctx-size or --parallel, take a smaller quantization, or raise --models-memory.`;
  return new EngineLoadError("too_large", message);
}

/** What an engine needs, in words. */
function memoryText(need: Memory): string {
  const parts = Object.entries(need).filter(([, bytes]) => bytes > 0);
  const named = parts.map(([name, bytes]) => `${formatBytes(bytes)} of ${name}`).join(", ");
  return parts.length > 1 ? `${formatBytes(totalOf(need))} (${named})` : formatBytes(totalOf(need));
}

/** What is free of the memories that it needs, in words. */
function freeText(need: Memory, free: Memory): string {
  const asked = Object.entries(free).filter(([name]) => bytesIn(need, name) > 0);
  const text = (name: string) => (asked.length > 1 ? ` of ${name}` : "");
  return asked.map(([name, bytes]) => formatBytes(Math.max(0, bytes)) + text(name)).join(", ");
}

import type { EndpointView } from "../../../wire/endpoint.ts";
import type { EndpointLoad, HostMemoryView, HostModel, HostView } from "../../../wire/host.ts";
import { type Cell, litCells } from "./cells.ts";
import { type HostShape, METRICS, type Size } from "./layout.ts";

/** How a host is, in one word: the gravest of what is true. */
export type Condition =
  | "online"
  | "error"
  | "offline"
  | "pending"
  | "draining"
  | "circuit_open"
  | "circuit_testing";

/** A part of a memory. */
export interface Segment {
  kind: "model" | "other" | "free";
  bytes: number;
  /** From 0 to 1, of the whole memory. */
  share: number;
  /** Only of models. */
  model?: HostModel;
}

/** A memory of a host. Its parts fill it exactly. */
export interface Bar {
  name: string;
  description: string;
  totalBytes: number;
  segments: readonly Segment[];
}

/** What is drawn of a host. */
export interface HostPicture {
  endpoint: EndpointView;
  condition: Condition;
  /** Undefined: none is told. */
  told: EndpointLoad | undefined;
  load: EndpointLoad;
  cells: readonly Cell[];
  /** The same objects while nothing else is in them, like `loose`. */
  bars: readonly Bar[];
  /** Models that are in none of the bars: cold ones, and those of which no memory is told. */
  loose: readonly HostModel[];
}

/**
 * What a host looks like, after what it looked like `before`: its requests keep their cells. The
 * same object if nothing has changed.
 */
export function pictureOf(
  endpoint: EndpointView,
  told: EndpointLoad | undefined,
  before?: HostPicture,
): HostPicture {
  if (before?.endpoint === endpoint && before.told === told) return before;
  const condition = conditionOf(endpoint);
  const load = told ?? { id: endpoint.id, active: 0, models: {} };
  const isGone = condition === "offline";
  const isSame =
    before?.endpoint.host === endpoint.host && (before.condition === "offline") === isGone;
  const { bars, loose } = isSame ? before : contentsOf(endpoint.host, isGone);
  return {
    ...{ endpoint, condition, told, load, bars, loose },
    cells: litCells(before?.cells ?? [], load, endpoint.slots_in_effect),
  };
}

/** What is in the memories, and what in none of them. In a machine that is gone nobody knows. */
function contentsOf({ memories, models }: HostView, isGone: boolean) {
  const bars = memories.map((memory) => (isGone ? emptyBar(memory) : barOf(memory, models)));
  const drawn = new Set(
    bars.flatMap(({ segments }) => segments.flatMap(({ model }) => model ?? [])),
  );
  return { bars, loose: models.filter((model) => !drawn.has(model)) };
}

/**
 * 1. It does not answer: offline.
 * 2. It was never reached: pending.
 * 3. An operator lets it finish and no more: draining.
 * 4. Requests fail at it: its circuit is open, or tried.
 * 5. Its last check failed: error.
 */
function conditionOf({ status, draining, circuit }: EndpointView): Condition {
  if (status === "offline" || status === "pending") return status;
  if (draining) return "draining";
  if (circuit === "open") return "circuit_open";
  if (circuit === "half_open" || circuit === "probing") return "circuit_testing";
  return status;
}

/** Models first, then what others use, then what is free. */
function barOf(memory: HostMemoryView, models: readonly HostModel[]): Bar {
  const { name, description, total_bytes: totalBytes, other_bytes } = memory;
  const held = models
    .map((model) => ({ model, bytes: model.memory?.[name] ?? 0 }))
    .filter(({ bytes }) => bytes > 0);
  const heldBytes = held.reduce((sum, { bytes }) => sum + bytes, 0);
  // Models are counted at once, and what others use now and then: together it may be too much.
  const otherBytes = Math.max(0, Math.min(other_bytes, totalBytes - heldBytes));
  const freeBytes = Math.max(0, totalBytes - heldBytes - otherBytes);
  const whole = Math.max(totalBytes, heldBytes, 1);
  const segments: Segment[] = [
    ...held.map(({ model, bytes }) => ({ ...segmentOf("model", bytes, whole), model })),
    segmentOf("other", otherBytes, whole),
    segmentOf("free", freeBytes, whole),
  ];
  return { name, description, totalBytes, segments: segments.filter(({ bytes }) => bytes > 0) };
}

function emptyBar({ name, description, total_bytes: totalBytes }: HostMemoryView): Bar {
  return { name, description, totalBytes, segments: [] };
}

function segmentOf(kind: Segment["kind"], bytes: number, whole: number): Segment {
  return { kind, bytes, share: bytes / whole };
}

/** How a model is at a host: `gone`: nobody knows; `served`: its server does not tell. */
export function stateWord({ condition }: Pick<HostPicture, "condition">, { state }: HostModel) {
  if (condition === "offline") return "gone";
  return state ?? "served";
}

/** The models that are listed below a host, and how many more there are. */
export function modelLines(
  { endpoint: { host } }: HostPicture,
  size: Size,
): { shown: readonly HostModel[]; rest: number } {
  const shown = host.models.slice(0, METRICS[size].linesMax);
  return { shown, rest: host.models.length - shown.length + host.more };
}

/** What of a host decides how high it is. */
export function shapeOf(picture: HostPicture, size: Size): HostShape {
  const { shown, rest } = modelLines(picture, size);
  const lines = size === "small" ? 0 : shown.length + (rest > 0 ? 1 : 0);
  return { bars: picture.bars.length, cells: picture.cells.length, lines };
}

/** The sum of what models have, or of what there is, over all hosts. */
export function memoryOf(pictures: readonly HostPicture[]): {
  usedBytes: number;
  allBytes: number;
} {
  let [usedBytes, allBytes] = [0, 0];
  for (const { bars } of pictures) {
    for (const { totalBytes, segments } of bars) {
      allBytes += totalBytes;
      for (const { kind, bytes } of segments) if (kind === "model") usedBytes += bytes;
    }
  }
  return { usedBytes, allBytes };
}

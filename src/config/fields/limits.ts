import { bytes, duration, trueOrFalse, wholeNumber } from "../values/scalar.ts";
import type { FieldsOf } from "./field.ts";

const SECOND_MS = 1000;
const QUEUE_MAX = 10_000;
const IMAGES_MAX = 10_000;

/** Sizes, times and queues that bound a request. */
export interface LimitSettings {
  /** Requests that may wait for a slot, per model. */
  queueMax: number;
  /** Longest wait for a slot; 0: requests do not wait. */
  queueTimeoutMs: number;
  /** Largest request body accepted. */
  bodyLimitBytes: number;
  /** Most memory of the bodies of all requests that run or wait. */
  bodyMemoryBytes: number;
  /** Images in requests may be fetched from private and loopback addresses. */
  privateMedia: boolean;
  /** Images that the newest message of a request may bring. */
  imagesMax: number;
  /** From the arrival of a request to the start of its answer: the queue and all attempts. */
  firstByteTimeoutMs: number;
  /** Longest wait for one endpoint's answer to start while another one could be tried. */
  tryTimeoutMs: number;
  /** Longest time between two pieces of a streamed answer. */
  idleTimeoutMs: number;
  /** How long running requests may go on after a stop signal. */
  drainTimeoutMs: number;
}

/** The fields of `LimitSettings`. */
export const LIMIT_FIELDS: FieldsOf<LimitSettings> = {
  queueMax: {
    name: "queue_max",
    reload: true,
    flags: "--queue-max <number>",
    group: "Limits",
    help: "Length of a model's queue for free slots; a client alone may fill four fifths of it",
    schema: () => wholeNumber(1, QUEUE_MAX),
    fallback: () => 100,
  },
  queueTimeoutMs: {
    name: "queue_timeout",
    reload: true,
    flags: "--queue-timeout <time>",
    group: "Limits",
    help: "Longest wait for a free slot; with 0 a request waits for none",
    schema: () => duration(0, 3600 * SECOND_MS),
    fallback: () => 60 * SECOND_MS,
    unit: "ms",
  },
  bodyLimitBytes: {
    name: "body_limit",
    reload: true,
    flags: "--body-limit <size>",
    group: "Limits",
    help: "Largest request body accepted",
    schema: () => bytes(1024),
    fallback: () => 64 * 2 ** 20,
    unit: "bytes",
  },
  bodyMemoryBytes: {
    name: "body_memory",
    flags: "--body-memory <size>",
    group: "Limits",
    help: "Memory for the bodies of all requests, each thrice its size; large ones get a quarter",
    schema: () => bytes(2 ** 20),
    fallback: () => 2 ** 30,
    unit: "bytes",
  },
  privateMedia: {
    name: "private_media",
    reload: true,
    flags: "--private-media",
    group: "Limits",
    help: "Fetch images that requests name from private and loopback addresses as well",
    schema: () => trueOrFalse(),
    fallback: () => false,
  },
  imagesMax: {
    name: "images_max",
    reload: true,
    flags: "--images-max <number>",
    group: "Limits",
    help: "Images that the newest message of a request may bring; those before it are not counted",
    schema: () => wholeNumber(1, IMAGES_MAX),
    fallback: () => 10,
  },
  firstByteTimeoutMs: {
    name: "first_byte_timeout",
    flags: "--first-byte-timeout <time>",
    group: "Limits",
    help: "Longest wait for an answer to begin, the wait for a slot and all tries included",
    schema: () => duration(100),
    fallback: () => 600 * SECOND_MS,
    unit: "ms",
  },
  tryTimeoutMs: {
    name: "try_timeout",
    reload: true,
    flags: "--try-timeout <time>",
    group: "Limits",
    help: "Longest wait for one endpoint's stream to begin while another could be tried",
    schema: () => duration(100),
    fallback: () => 120 * SECOND_MS,
    unit: "ms",
  },
  idleTimeoutMs: {
    name: "idle_timeout",
    reload: true,
    flags: "--idle-timeout <time>",
    group: "Limits",
    help: "Longest silence within a streamed answer",
    schema: () => duration(100),
    fallback: () => 120 * SECOND_MS,
    unit: "ms",
  },
  drainTimeoutMs: {
    name: "drain_timeout",
    reload: true,
    flags: "--drain-timeout <time>",
    group: "Limits",
    help: "How long running requests may go on after a stop signal",
    schema: () => duration(0),
    fallback: () => 30 * SECOND_MS,
    unit: "ms",
  },
};

import { JSCallback } from "bun:ffi";
import { readHostMemory } from "../lib/hostmemory.ts";
import { devicesToLend } from "../model/lentdevices.ts";
import type { Device } from "../wire/system.ts";
import { type NativeLibrary, openNative } from "./symbols.ts";

/** Receives the events of one request: its head, its data, its end. */
export interface RequestSink {
  head(status: number, contentType: string, isStream: boolean): void;
  data(bytes: Uint8Array<ArrayBuffer>): void;
  end(): void;
}

/** Receives the events of the model: log lines, the progress of its load and how that ends. */
export interface ModelSink {
  /** `level` is ggml's: 1 debug, 2 info, 3 warning, 4 error. */
  log(level: number, text: string): void;
  progress(fraction: number): void;
  /** The model is loaded. `info` is an `EngineDescription`, which the node parses. */
  ready(info: unknown): void;
  loadError(text: string): void;
  /** What became of a prompt's file. `info` is a `PromptFileEvent`, still to be parsed. */
  promptFile(info: unknown): void;
}

/** A request in the library's form. `body` ends with the bytes of `files`, one after the other. */
export interface NativeRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  body: Uint8Array;
  files: { field: string; name: string; type: string; size: number }[];
}

const EVENT = {
  head: 1,
  data: 2,
  end: 3,
  log: 4,
  progress: 5,
  ready: 6,
  loadError: 7,
  prompt: 8,
} as const;

/** How many requests run at once, each in a thread. No usual engine has more slots. */
const REQUEST_THREADS = 64;
/** Data of this interval is sent together. The first bytes of an answer and its end never wait. */
const FLUSH_INTERVAL_US = 8000;
const DRAIN_BYTES = 1024 * 1024;
const FRAME_HEAD_BYTES = 16;

/** llama.cpp's progress of a load: the stages, and how much of the current one is done. */
interface Progress {
  stages: string[];
  current: string;
  value: number;
}

/**
 * One model in this process, run by libllmlb. All methods except `destroy` return at once.
 * Events arrive on this thread; those of one request arrive in order.
 */
export class NativeEngine {
  readonly #native: NativeLibrary;
  readonly #handle: NonNullable<ReturnType<NativeLibrary["llmlb_create"]>>;
  readonly #notify: JSCallback;
  readonly #buffer = new Uint8Array(DRAIN_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);
  readonly #requests = new Map<number, RequestSink>();
  readonly #model: ModelSink;
  #lastId = 0;
  #open = true;

  /** Opens libllmlb in the first of these folders and loads the compute backends of all of them. */
  constructor(directories: string[], model: ModelSink) {
    this.#model = model;
    this.#native = openNative(directories[0] ?? "");
    this.#notify = new JSCallback(() => this.#drain(), {
      returns: "void",
      args: [],
      threadsafe: true,
    });
    const callback = this.#notify.ptr;
    const handle =
      callback && this.#native.llmlb_create(callback, REQUEST_THREADS, FLUSH_INTERVAL_US);
    if (!handle) throw new Error("libllmlb could not make an engine");
    this.#handle = handle;
    for (const directory of directories) this.#native.llmlb_load_backends(text(directory));
  }

  /** Starts loading a model with llama-server's arguments. */
  load(args: string[]): void {
    const argv = new TextEncoder().encode(args.map((arg) => `${arg}\0`).join(""));
    this.#native.llmlb_load(this.#handle, argv, argv.byteLength);
  }

  /** Starts a request and returns its id; undefined if the library's queue is full. */
  submit({ body, ...head }: NativeRequest, sink: RequestSink): number | undefined {
    const id = ++this.#lastId;
    const json = new TextEncoder().encode(JSON.stringify(head));
    this.#requests.set(id, sink);
    const bytes = body.byteLength === 0 ? EMPTY : body;
    const { llmlb_submit: submit } = this.#native;
    const code = submit(this.#handle, id, json, json.byteLength, bytes, body.byteLength);
    if (code === 0) return id;
    this.#requests.delete(id);
    if (code === -1) return undefined;
    throw new Error("libllmlb refused a malformed request head");
  }

  /** Stops a request; its `end` still follows. */
  cancel(id: number): void {
    if (this.#open) this.#native.llmlb_cancel(this.#handle, id);
  }

  /** How long the decoding loop has owed an answer to a question that it is asked regularly. */
  get stalledMs(): number {
    return this.#open ? this.#native.llmlb_stalled_ms(this.#handle) : 0;
  }

  /** Cancels everything, waits for the library's threads and frees the model. */
  destroy(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#native.llmlb_destroy(this.#handle);
    this.#notify.close();
  }

  #drain(): void {
    if (!this.#open) return;
    const size = Number(this.#native.llmlb_drain(this.#handle, this.#buffer, DRAIN_BYTES));
    for (let at = 0; at < size; ) {
      const id = Number(this.#view.getBigUint64(at, true));
      const type = this.#view.getUint32(at + 8, true);
      const start = at + FRAME_HEAD_BYTES;
      at = start + this.#view.getUint32(at + 12, true);
      this.#dispatch(id, type, start, at);
    }
  }

  #dispatch(id: number, type: number, start: number, end: number): void {
    if (type === EVENT.data) {
      this.#requests.get(id)?.data(this.#buffer.slice(start, end));
    } else if (type === EVENT.end) {
      const sink = this.#requests.get(id);
      this.#requests.delete(id);
      sink?.end();
    } else if (type === EVENT.head) {
      const status = this.#view.getUint32(start, true);
      const isStream = this.#view.getUint32(start + 4, true) === 1;
      this.#requests.get(id)?.head(status, this.#text(start + 8, end), isStream);
    } else {
      this.#dispatchToModel(id, type, this.#text(start, end));
    }
  }

  #dispatchToModel(level: number, type: number, content: string): void {
    if (type === EVENT.log) this.#model.log(level, content);
    else if (type === EVENT.ready) this.#model.ready(JSON.parse(content));
    else if (type === EVENT.loadError) this.#model.loadError(content);
    else if (type === EVENT.prompt) this.#model.promptFile(JSON.parse(content));
    else if (type === EVENT.progress) {
      const { stages, current, value } = JSON.parse(content) as Progress;
      this.#model.progress((stages.indexOf(current) + value) / stages.length);
    }
  }

  #text(start: number, end: number): string {
    return utf8.decode(this.#buffer.subarray(start, end));
  }
}

/** To ggml all of the host's memory is free, whoever uses it, and whatever a container may have. */
function withHostMemory(device: Device): Device {
  const memory = device.type === "cpu" ? readHostMemory() : undefined;
  if (memory === undefined) return device;
  const { total, available } = memory;
  return {
    ...device,
    total_memory_bytes: Math.min(device.total_memory_bytes, total),
    free_memory_bytes: Math.min(device.free_memory_bytes, available),
  };
}

/** The compute devices that the backends in these folders find. Wakes the devices' drivers up. */
export function listDevices(directories: string[]): { devices: Device[]; llamaCpp: string } {
  const native = openNative(directories[0] ?? "");
  for (const directory of directories) native.llmlb_load_backends(text(directory));
  const json = readText((out, capacity) => native.llmlb_devices(out, capacity));
  const devices = (JSON.parse(json) as Device[]).map(withHostMemory);
  return { devices, llamaCpp: String(native.llmlb_build_info()) };
}

/**
 * Lends devices of this host to whoever connects to the Unix socket that is made at `socket`, until
 * this process ends. Returns them. Throws if it is not possible.
 */
export function serveDevices(
  directories: string[],
  { socket, threads }: { socket: string; threads: number },
): Device[] {
  const { devices } = listDevices(directories);
  const lent = devicesToLend(devices);
  const native = openNative(directories[0] ?? "");
  const [path, names] = [text(socket), text(JSON.stringify(lent.map(({ name }) => name)))];
  const problem = readText((out, capacity) =>
    native.llmlb_lend(path, threads, names, out, capacity),
  );
  if (problem !== "") throw new Error(`Lending the devices failed: ${problem}.`);
  return lent;
}

/** Why this host cannot load the backend in a file; undefined if it can. */
export function backendProblem(directory: string, file: string): string | undefined {
  const native = openNative(directory);
  const path = text(file);
  const reason = readText((out, capacity) => native.llmlb_probe_backend(path, out, capacity));
  return reason === "" ? undefined : reason;
}

const utf8 = new TextDecoder();
/** bun:ffi takes no pointer to an empty array. */
const EMPTY = new Uint8Array(1);
const TEXT_BYTES_MAX = 64 * 1024;

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, "utf8");
}

function readText(read: (out: Uint8Array, capacity: number) => number | bigint): string {
  const out = new Uint8Array(TEXT_BYTES_MAX);
  const length = Number(read(out, out.byteLength));
  return utf8.decode(out.subarray(0, Math.min(length, TEXT_BYTES_MAX - 1)));
}

import { trueOrFalse } from "../values/scalar.ts";
import { type WorkerSetting, workerList } from "../values/worker.ts";
import type { FieldsOf } from "./field.ts";

/** Models that are larger than one host: who lends devices, and who uses them. */
export interface WorkerSettings {
  /** This node lends its devices to engines elsewhere. */
  rpcWorker: boolean;
  /** The nodes whose devices this node's models may use, besides those that its balancer knows. */
  workers: WorkerSetting[];
}

/** The fields of `WorkerSettings`. */
export const WORKER_FIELDS: FieldsOf<WorkerSettings> = {
  rpcWorker: {
    name: "rpc_worker",
    flags: "--rpc-worker",
    group: "Models",
    help: "Lend this host's devices to models of other nodes that are larger than one host",
    schema: () => trueOrFalse(),
    fallback: () => false,
  },
  workers: {
    name: "workers",
    flags: "--worker <[name=]url>",
    group: "Models",
    help: "Node that lends its devices, its key as http://KEY@host; models name it in `workers`",
    schema: () => workerList(),
    fallback: () => [],
    fallbackText: "none",
    repeatable: true,
  },
};

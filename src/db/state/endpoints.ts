import type { Kysely } from "kysely";
import type { Logger } from "../../lib/log.ts";
import type { EndpointKind, EndpointStatus } from "../../wire/endpoint.ts";
import { isDuplicate } from "../engine/error.ts";
import { parseAddress } from "./address.ts";
import type {
  EndpointFields,
  EndpointHealth,
  EndpointRow,
  InferenceLatency,
  NewEndpoint,
} from "./endpoint.ts";
import { columnsOf, newRow, toEndpoint } from "./endpointrow.ts";
import type { EndpointWriter } from "./endpointwriter.ts";
import type { StateSchema } from "./schema.ts";
import type { SecretKey } from "./secretkey.ts";

/** What no two endpoints have in common: the name, the normalised address, the node's id. */
export type UniqueField = "name" | "url" | "node";

/** The stored endpoint, or the unique field that another endpoint has already. */
type CreateResult = { endpoint: EndpointRow } | { taken: UniqueField };
type UpdateResult = CreateResult | "not_found";

/** Both conditions hold at once. */
interface EndpointFilter {
  status?: EndpointStatus;
  type?: EndpointKind;
}

interface EndpointsOptions {
  db: Kysely<StateSchema>;
  secret: SecretKey;
  writer: EndpointWriter;
  log: Logger;
}

/** The endpoints that requests can be routed to. Every query throws `StorageError`. */
export class Endpoints {
  readonly #db: Kysely<StateSchema>;
  readonly #secret: SecretKey;
  readonly #writer: EndpointWriter;
  readonly #log: Logger;

  constructor({ db, secret, writer, log }: EndpointsOptions) {
    this.#db = db;
    this.#secret = secret;
    this.#writer = writer;
    this.#log = log;
  }

  /** Adds an endpoint, `pending`. Throws `TypeError` for an invalid address. */
  async create(endpoint: NewEndpoint): Promise<CreateResult> {
    const row = newRow(endpoint, this.#secret);
    return resultOf(async () => {
      const query = this.#db.insertInto("endpoints").values(row).returningAll();
      return { endpoint: toEndpoint(await query.executeTakeFirstOrThrow()) };
    });
  }

  /**
   * Changes the fields that are present and keeps the others; null clears. Throws `TypeError` for
   * an invalid address.
   */
  async update(id: string, fields: Partial<EndpointFields>): Promise<UpdateResult> {
    const columns = columnsOf(id, fields, this.#secret);
    if (Object.keys(columns).length === 0) {
      const endpoint = await this.get(id);
      return endpoint === undefined ? "not_found" : { endpoint };
    }
    return resultOf(async () => {
      const query = this.#db.updateTable("endpoints").set(columns).where("id", "=", id);
      const row = await query.returningAll().executeTakeFirst();
      return row === undefined ? "not_found" : { endpoint: toEndpoint(row) };
    });
  }

  /** Removes an endpoint with its models; false if there is none. */
  async remove(id: string): Promise<boolean> {
    const query = this.#db.deleteFrom("endpoints").where("id", "=", id);
    return (await query.executeTakeFirst()).numDeletedRows > 0n;
  }

  /** The endpoint with this id. */
  async get(id: string): Promise<EndpointRow | undefined> {
    return this.#find("id", id);
  }

  /** The endpoint with this name; case matters. */
  async byName(name: string): Promise<EndpointRow | undefined> {
    return this.#find("name", name);
  }

  /** The endpoint with this address, however it is spelled. Throws `TypeError` if it is invalid. */
  async byUrl(baseUrl: string): Promise<EndpointRow | undefined> {
    return this.#find("url_key", parseAddress(baseUrl).key);
  }

  /** The endpoint of an enrolled node. */
  async byNode(nodeId: string): Promise<EndpointRow | undefined> {
    return this.#find("node_id", nodeId);
  }

  /** The endpoints that fit the filter, oldest first. */
  async list({ status, type }: EndpointFilter = {}): Promise<EndpointRow[]> {
    let query = this.#db.selectFrom("endpoints").selectAll();
    if (status !== undefined) query = query.where("status", "=", status);
    if (type !== undefined) query = query.where("type", "=", type);
    const rows = await query.orderBy("registered_at").orderBy("id").execute();
    return rows.map(toEndpoint);
  }

  /** Stores the state of an endpoint within half a second; it neither waits nor fails. */
  saveHealth(id: string, health: EndpointHealth): void {
    this.#writer.health(id, health);
  }

  /** Stores an endpoint's inference latency within half a second; it neither waits nor fails. */
  saveLatency(id: string, latency: InferenceLatency): void {
    this.#writer.latency(id, latency);
  }

  /**
   * The API keys of all endpoints, or of one, by endpoint id. A key that `secret.key` does not
   * open is logged and left out, so that the other endpoints keep working.
   */
  async apiKeys(id?: string): Promise<Map<string, string>> {
    let query = this.#db.selectFrom("endpoints").select(["id", "name", "api_key"]);
    if (id !== undefined) query = query.where("id", "=", id);
    const keys = new Map<string, string>();
    for (const row of await query.where("api_key", "is not", null).execute()) {
      try {
        if (row.api_key !== null) keys.set(row.id, this.#secret.open(row.api_key, row.id));
      } catch (err) {
        const advice = "set the endpoint's API key again";
        this.#log.error({ endpoint: row.name, err, advice }, "endpoint.key_unreadable");
      }
    }
    return keys;
  }

  async #find(column: "id" | "name" | "url_key" | "node_id", value: string) {
    const query = this.#db.selectFrom("endpoints").selectAll().where(column, "=", value);
    const row = await query.executeTakeFirst();
    return row === undefined ? undefined : toEndpoint(row);
  }
}

/** What `write` returns, or the unique field for which it was refused. */
async function resultOf<T>(write: () => Promise<T>): Promise<T | { taken: UniqueField }> {
  try {
    return await write();
  } catch (error) {
    if (isDuplicate(error, "endpoints.name")) return { taken: "name" };
    if (isDuplicate(error, "endpoints.url_key")) return { taken: "url" };
    if (isDuplicate(error, "endpoints.node_id")) return { taken: "node" };
    throw error;
  }
}

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerApi, type HubAnswer, hubError, noRevision } from "./answers.ts";
import { type FaultStage, type HubFault, HubFaults, type Mishap } from "./fault.ts";
import {
  addCommit,
  commitOf,
  type FileContent,
  type HubFile,
  makeFile,
  makeRepo,
  type NewRepo,
  pointerOf,
  type Repo,
} from "./repo.ts";
import { sendFile } from "./transfer.ts";

/*
 * A local server that speaks the protocol of the Hugging Face hub, faults included. Layout, names
 * and headers are those of the public documentation:
 *   https://huggingface.co/docs/hub/api (model info, tree, paths-info, resolve)
 *   https://huggingface.co/docs/hub/rate-limits (429, `RateLimit`, `RateLimit-Policy`)
 *   https://huggingface.co/docs/hub/models-gated (who sees what of a gated repository)
 *   https://huggingface.co/docs/huggingface_hub (X-Repo-Commit, X-Linked-Size, X-Linked-ETag,
 *   X-Error-Code and what each means)
 * Files are kept by another server, as the hub's content network does. Node's HTTP server is used,
 * since with it a body has a length and can still be cut off at any byte.
 */

/** A request that the hub or its content server got. */
export interface HubRequest {
  stage: FaultStage;
  method: string;
  /** With its query. */
  path: string;
  repo: string;
  file: string | undefined;
  authorization: string | undefined;
  range: string | undefined;
}

/** Requests that are remembered. */
const REQUESTS_MAX = 100_000;
const SIGNED_FOR_MS = 3_600_000;
const SECRET = "of this hub only";

/** Starts a hub without repositories on free ports of this machine. */
export async function startHub(): Promise<Hub> {
  const hub = new Hub();
  await hub.listen();
  return hub;
}

/** A running hub; `await using` stops it. */
export class Hub implements AsyncDisposable {
  readonly faults = new HubFaults();
  readonly requests: HubRequest[] = [];
  /** Every answer waits so long. */
  latencyMs = 0;
  /** Speed of each file transfer; 0: as fast as it goes. */
  bytesPerSecond = 0;
  /** Entries on one page of a tree. */
  pageSize = 1000;
  /** Lists say which files are in LFS, and their hashes; some mirrors leave that out. */
  tellsLfs = true;
  /** Where links to next pages and new names lead, as a mirror passes on the hub's; "": here. */
  linkedUrl = "";
  /** Tokens that are known; others are refused. Those of `allowed` are known, too. */
  readonly tokens = new Set<string>();
  readonly #repos = new Map<string, Repo>();
  /** Old names of repositories. */
  readonly #moved = new Map<string, string>();
  readonly #served = new Map<string, number>();
  readonly #hub = createServer((request, response) => this.#serve("hub", request, response));
  readonly #cdn = createServer((request, response) => this.#serve("cdn", request, response));

  get url(): string {
    return addressOf(this.#hub);
  }

  /** Where the files are. */
  get cdnUrl(): string {
    return addressOf(this.#cdn);
  }

  async listen(): Promise<void> {
    for (const server of [this.#hub, this.#cdn]) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
  }

  /** Puts a repository on the hub. Returns the id of its commit. */
  async add(given: NewRepo): Promise<string> {
    const repo = await makeRepo(given);
    this.#repos.set(repo.name, repo);
    for (const token of repo.allowed) this.tokens.add(token);
    return repo.commits[0]?.sha ?? "";
  }

  /** Takes a repository away. */
  remove(name: string): void {
    this.#repos.delete(name);
  }

  /** Gives a repository another name; the old one redirects to it. */
  rename(name: string, to: string): void {
    const repo = this.#named(name);
    this.#repos.delete(name);
    this.#repos.set(to, { ...repo, name: to });
    this.#moved.set(name, to);
  }

  /** Commits changes to `main`; null removes a file. Returns the commit's id. */
  commit(name: string, changes: Record<string, FileContent | null>): Promise<string> {
    return addCommit(this.#named(name), changes);
  }

  /** Changes a file within its commit, which a proper hub never does. */
  async replace(name: string, path: string, content: FileContent): Promise<void> {
    this.#named(name)
      .commits.at(-1)
      ?.files.set(path, await makeFile(path, content));
  }

  /** Lets something go wrong. */
  fail(fault: HubFault): void {
    this.faults.add(fault);
  }

  /** Bytes sent of a file, or of all files of a repository. */
  served(name: string, path?: string): number {
    if (path !== undefined) return this.#served.get(`${name}/${path}`) ?? 0;
    const entries = [...this.#served].filter(([key]) => key.startsWith(`${name}/`));
    return entries.reduce((sum, [, bytes]) => sum + bytes, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#hub, this.#cdn]) {
      server.closeAllConnections();
      server.close();
    }
  }

  /** The name that a repository has now, or its right spelling; undefined if this is it. */
  #movedTo(name: string): string | undefined {
    if (this.#repos.has(name)) return undefined;
    const spelled = [...this.#repos.keys()].find((one) => one.toLowerCase() === name.toLowerCase());
    return this.#moved.get(name) ?? spelled;
  }

  #named(name: string): Repo {
    const repo = this.#repos.get(name);
    if (repo === undefined) throw new Error(`There is no repository ${name} on this hub.`);
    return repo;
  }

  async #serve(
    place: "hub" | "cdn",
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    response.on("error", () => undefined); // A client that left.
    try {
      if (this.latencyMs > 0) await Bun.sleep(this.latencyMs);
      const base = place === "hub" ? this.url : this.cdnUrl;
      const url = new URL(request.url ?? "/", base);
      if (place === "cdn") return await this.#serveContent(url, request, response);
      const parts = url.pathname.slice(1).split("/").map(decodeURIComponent);
      if (parts[0] === "api" && parts[1] === "models") {
        return await this.#serveApi(url, parts.slice(2), request, response);
      }
      if (parts[0] === "api" && parts[1] === "resolve-cache") {
        return await this.#serveCached(parts.slice(3), request, response);
      }
      await this.#serveResolve(parts, request, response);
    } catch (error) {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    }
  }

  async #serveApi(
    url: URL,
    parts: string[],
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const name = parts.slice(0, 2).join("/");
    const mishap = this.#note("api", name, undefined, request);
    if (await this.#goneWrong(mishap, response)) return;
    const to = this.#movedTo(name);
    if (to !== undefined) {
      const moved = url.href.replace(`/api/models/${name}`, `/api/models/${to}`);
      const location = moved.replace(url.origin, this.linkedUrl || url.origin);
      response.writeHead(307, { location }).end();
      return;
    }
    const refusal = this.#refusal(name, request, "metadata");
    const rest = parts.slice(2);
    const { pageSize, tellsLfs } = this;
    const linked = url.href.replace(url.origin, this.linkedUrl || url.origin);
    const asked = { rest, query: url.searchParams, url: linked, pageSize, tellsLfs };
    const body = await bodyOf(request);
    send(refusal ?? answerApi(this.#named(name), { ...asked, body }), request, response);
  }

  /** `/{repo}/resolve/{revision}/{file}` and `/{repo}/raw/…`. */
  async #serveResolve(
    parts: string[],
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const [org = "", repoName = "", verb, revision = "", ...path] = parts;
    const name = `${org}/${repoName}`;
    const file = path.join("/");
    const mishap = this.#note("resolve", name, file, request);
    if (await this.#goneWrong(mishap, response)) return;
    const to = this.#movedTo(name);
    if (to !== undefined) {
      const location = (request.url ?? "").replace(`/${name}/`, `/${to}/`);
      response.writeHead(307, { location }).end();
      return;
    }
    const refusal = this.#refusal(name, request, "files");
    if (refusal !== undefined) return send(refusal, request, response);
    if (verb !== "resolve" && verb !== "raw") {
      return send(hubError(404, undefined, "Not Found"), request, response);
    }
    const commit = commitOf(this.#named(name), revision);
    if (commit === undefined) return send(noRevision(revision), request, response);
    const found = commit.files.get(file);
    const headers = { "x-repo-commit": commit.sha };
    if (found === undefined) {
      const answer = hubError(404, "EntryNotFound", "Entry not found");
      return send({ ...answer, headers: { ...answer.headers, ...headers } }, request, response);
    }
    if (verb === "raw") return await this.#serveRaw(found, name, request, response, headers);
    const etag = `"${found.lfs?.oid ?? found.oid}"`;
    const small = [org, repoName, commit.sha, ...path].map(encodeURIComponent).join("/");
    const location =
      found.lfs === undefined ? `/api/resolve-cache/models/${small}` : this.#signed(name, found);
    response.writeHead(found.lfs === undefined ? 307 : 302, {
      ...{ ...headers, location, etag, "x-linked-etag": etag, "accept-ranges": "bytes" },
      "x-linked-size": String(found.size),
      ...(found.xetHash === undefined ? {} : { "x-xet-hash": found.xetHash }),
    });
    response.end();
  }

  /** What git has: a large file's pointer. */
  async #serveRaw(
    found: HubFile,
    name: string,
    request: IncomingMessage,
    response: ServerResponse,
    headers: Record<string, string>,
  ): Promise<void> {
    const { path, lfs, oid: etag } = found;
    const pointer = lfs === undefined ? undefined : pointerOf(lfs.oid, lfs.size);
    const file = pointer === undefined ? found : await makeFile(`${path}.txt`, pointer);
    await this.#transfer({ name, file, etag, headers, request, response, mishap: undefined });
  }

  /** Small files, by the commit that they are of. */
  async #serveCached(
    parts: string[],
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const [org = "", repoName = "", revision = "", ...path] = parts;
    const name = `${org}/${repoName}`;
    const mishap = this.#note("cdn", name, path.join("/"), request);
    if (await this.#goneWrong(mishap, response)) return;
    const repo = this.#repos.get(name);
    const file = repo && commitOf(repo, revision)?.files.get(path.join("/"));
    if (file === undefined) return send(hubError(404, "EntryNotFound", "?"), request, response);
    const headers = { "x-repo-commit": revision };
    await this.#transfer({ name, file, etag: file.oid, headers, request, response, mishap });
  }

  async #serveContent(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const query = url.searchParams;
    const [name, path] = [query.get("repo") ?? "", query.get("file") ?? ""];
    const mishap = this.#note("cdn", name, path, request);
    if (await this.#goneWrong(mishap, response)) return;
    const sha256 = url.pathname.split("/").at(-1) ?? "";
    const expires = Number(query.get("Expires"));
    if (query.get("Signature") !== signatureOf(sha256, expires) || expires < Date.now()) {
      return send({ status: 403, headers: {}, body: "Access denied" }, request, response);
    }
    const commits = this.#repos.get(name)?.commits ?? [];
    const file = commits.map(({ files }) => files.get(path)).find((f) => f?.lfs?.oid === sha256);
    if (file === undefined) {
      return send({ status: 404, headers: {}, body: "No such key" }, request, response);
    }
    await this.#transfer({ name, file, etag: sha256, headers: {}, request, response, mishap });
  }

  #transfer(given: {
    name: string;
    file: HubFile;
    etag: string;
    headers: Record<string, string>;
    request: IncomingMessage;
    response: ServerResponse;
    mishap: Mishap | undefined;
  }): Promise<void> {
    const key = `${given.name}/${given.file.path}`;
    const type = { "content-type": "application/octet-stream" };
    return sendFile({
      ...given,
      headers: { ...type, ...given.headers },
      bytesPerSecond: () => this.bytesPerSecond,
      onSent: (bytes) => this.#served.set(key, (this.#served.get(key) ?? 0) + bytes),
    });
  }

  #signed(name: string, { path, lfs }: HubFile): string {
    const sha256 = lfs?.oid ?? "";
    const expires = Date.now() + SIGNED_FOR_MS;
    const query = new URLSearchParams({
      ...{ repo: name, file: path, Expires: String(expires) },
      Signature: signatureOf(sha256, expires),
    });
    return `${this.cdnUrl}/xet-bridge/${sha256}?${query}`;
  }

  /** Why this client gets nothing. The hub does not tell private repositories from missing ones. */
  #refusal(name: string, request: IncomingMessage, what: "metadata" | "files") {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    if (token !== undefined && !this.tokens.has(token)) {
      return hubError(401, undefined, "Invalid credentials in Authorization header");
    }
    const repo = this.#repos.get(name);
    const allowed = token !== undefined && repo?.allowed.includes(token) === true;
    if (repo === undefined || (repo.private && !allowed)) {
      const message =
        token === undefined ? "Invalid username or password." : "Repository not found";
      return hubError(token === undefined ? 401 : 404, "RepoNotFound", message);
    }
    if (repo.gated === false || allowed || what === "metadata") return undefined;
    const message =
      token === undefined
        ? `Access to model ${name} is restricted. You must have access to it and be authenticated.`
        : `Access to model ${name} is restricted and you are not in the authorized list.`;
    return hubError(token === undefined ? 401 : 403, "GatedRepo", message);
  }

  #note(stage: FaultStage, repo: string, file: string | undefined, request: IncomingMessage) {
    const { method = "GET", url: path = "/", headers } = request;
    const { authorization, range } = headers;
    const { length } = this.requests;
    const noted = { stage, method, path, repo, file, authorization, range };
    if (length < REQUESTS_MAX) this.requests.push(noted);
    return this.faults.next(stage, repo, file);
  }

  /** Does what a fault says unless it is about the bytes of a file. */
  async #goneWrong(mishap: Mishap | undefined, response: ServerResponse): Promise<boolean> {
    if (mishap === undefined) return false;
    if ("delayMs" in mishap) await Bun.sleep(mishap.delayMs);
    if ("redirectTo" in mishap) response.writeHead(302, { location: mishap.redirectTo }).end();
    else if ("status" in mishap) {
      response.writeHead(mishap.status, mishap.headers).end(mishap.body ?? "");
    } else return false;
    return true;
  }
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function signatureOf(sha256: string, expires: number): string {
  return createHash("sha256").update(`${SECRET} ${sha256} ${expires}`).digest("base64url");
}

function send(answer: HubAnswer, request: IncomingMessage, response: ServerResponse): void {
  const length = { "content-length": String(Buffer.byteLength(answer.body)) };
  response.writeHead(answer.status, { ...answer.headers, ...length });
  response.end(request.method === "HEAD" ? undefined : answer.body);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

import { z } from "zod";
import { ClientError, connectionProblem } from "../../http/client/failure.ts";
import { type Answer, type GetOptions, get } from "../../http/client/get.ts";
import type { ForwardProxy } from "../../http/client/proxy.ts";
import { backoffMs } from "../../lib/backoff.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { parseJson } from "../../lib/json.ts";
import type { Logger } from "../../lib/log.ts";
import {
  AnnouncementAnswer,
  type AnnouncementBody,
  EnrolmentAnswer,
  type EnrolmentBody,
} from "../../wire/enrolment.ts";
import { type Identity, saveIdentity } from "./identity.ts";

/** What a node tells its balancer about itself, apart from its address. */
export type NodeDescription = Pick<
  EnrolmentBody,
  "name" | "version" | "device" | "models" | "slots"
>;

export interface MembershipOptions {
  /** Base URL of the balancer. */
  balancer: string;
  /** The enrolment token; null: the node is enrolled already and has a credential. */
  token: string | null;
  /** Of the balancer's only certificate; null: the one it was enrolled with, or any valid one. */
  fingerprint: string | null;
  /** The proxy in between. Default: none. */
  proxy?: ForwardProxy | undefined;
  /** Base URL by which the balancer reaches this node; null: the address it connects from. */
  advertise: string | null;
  home: string;
  identity: Identity;
  log: Logger;
  describe(): Promise<NodeDescription>;
  /** Called after each announcement that the balancer has accepted. */
  onAnnounced?(): void;
  /** Called when the balancer refuses to let the node in at all; it is asked again all the same. */
  onRefused?(reason: string): void;
}

/** Where a node listens. */
export interface NodeEntrance {
  port: number;
  /** Of the certificate that it shows; undefined: it speaks plain HTTP. */
  fingerprint: string | undefined;
}

/** Time between two announcements. */
const INTERVAL_MS = 30_000;
const RETRY = { firstMs: 500, maxMs: 30_000 };
const ANSWER_MS_MAX = 20_000;
const LEAVE_MS_MAX = 2000;
const ANSWER_BYTES_MAX = 1024 * 1024;
const NEVER = new AbortController().signal;

/** What a node is told that has neither a token nor a credential. */
export const NO_TOKEN =
  "joining needs a token: llmlb endpoint token makes one on the balancer's machine";

/** The balancer refuses this node for a reason that only a person can remove. */
class RefusalError extends Error {}
/** The balancer does not know this node, or does not any more. */
class UnknownNodeError extends Error {}

/** Enrols a node at its balancer, announces it every 30 s, and deregisters it when it stops. */
export class Membership {
  readonly #options: MembershipOptions;
  #identity: Identity;
  #entrance: NodeEntrance = { port: 0, fingerprint: undefined };
  #failures = 0;
  #timer: Timer | undefined;
  #leaving = false;
  #pending: string | undefined = "it was not asked yet";
  /** What was logged last: it is not logged again. */
  #logged = "";

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#identity = options.identity;
  }

  /** Why the balancer has not let this node in since the start; undefined once it has. */
  get pending(): string | undefined {
    return this.#pending;
  }

  /** Starts the announcements. The node must listen already. */
  start(entrance: NodeEntrance): void {
    this.#entrance = entrance;
    this.#announce();
  }

  /** Tells the balancer at once that the node shows another certificate. */
  renewed(fingerprint: string): void {
    this.#entrance = { ...this.#entrance, fingerprint };
    // One that is on its way is followed by the next one.
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#announce();
  }

  /** Announces the node no more: another process does. */
  close(): void {
    this.#leaving = true;
    clearTimeout(this.#timer);
  }

  /** Tells the balancer that the node stops. Never throws; a failure is only logged. */
  async leave(): Promise<void> {
    this.close();
    const credential = this.credential;
    if (credential === undefined) return;
    try {
      await this.#post("leave", {}, { credential, timeoutMs: LEAVE_MS_MAX });
    } catch (err) {
      this.#options.log.debug({ err }, "join.leave_failed");
    }
  }

  /** The secret by which the balancer knows the node; undefined until it is enrolled there. */
  get credential(): string | undefined {
    const { joined } = this.#identity;
    return joined?.balancer === this.#options.balancer ? joined.credential : undefined;
  }

  /** Of the balancer's only certificate; undefined: an authority vouches for it. */
  get fingerprint(): string | undefined {
    const { fingerprint, balancer } = this.#options;
    const { joined } = this.#identity;
    return fingerprint ?? (joined?.balancer === balancer ? joined.fingerprint : undefined);
  }

  async #announce(): Promise<void> {
    const { log, onAnnounced } = this.#options;
    try {
      const answer = await this.#join();
      this.#failures = 0;
      this.#pending = undefined;
      this.#logReachability(answer);
      onAnnounced?.();
      this.#schedule(INTERVAL_MS);
    } catch (err) {
      const retryMs = backoffMs(this.#failures, RETRY);
      this.#failures += 1;
      const reason = errorMessage(err);
      if (this.#leaving) return;
      if (this.#pending !== undefined) {
        this.#pending = reason;
        if (err instanceof RefusalError) this.#options.onRefused?.(reason);
      }
      // The same reason is logged once, however long the balancer is down.
      if (reason !== this.#logged) {
        const event = err instanceof RefusalError ? "join.refused" : "join.failed";
        log[err instanceof RefusalError ? "error" : "warn"]({ reason }, event);
      }
      this.#logged = reason;
      this.#schedule(err instanceof RefusalError ? RETRY.maxMs : retryMs);
    }
  }

  async #join(): Promise<AnnouncementAnswer> {
    const { describe, identity, advertise } = this.#options;
    const { models, slots, ...description } = await describe();
    const { port, fingerprint } = this.#entrance;
    const body: AnnouncementBody = {
      ...(advertise === null ? {} : { url: advertise }),
      ...{ port, api_key: identity.key, models, slots },
      ...(fingerprint === undefined ? {} : { tls_fingerprint: fingerprint }),
    };
    const credential = this.credential;
    if (credential === undefined) return this.#enrol({ ...description, ...body });
    try {
      return AnnouncementAnswer.parse(await this.#post("announce", body, { credential }));
    } catch (err) {
      if (!(err instanceof UnknownNodeError) || this.#options.token === null) throw err;
      return this.#enrol({ ...description, ...body });
    }
  }

  async #enrol(node: Omit<EnrolmentBody, "token" | "node_id">): Promise<EnrolmentAnswer> {
    const { balancer, token, home, log } = this.#options;
    const { node_id } = this.#identity;
    if (token === null) throw new RefusalError(NO_TOKEN);
    const body: EnrolmentBody = { ...node, token, node_id };
    const answer = EnrolmentAnswer.parse(await this.#post("enrol", body));
    const { credential, endpoint_id, name, url } = answer;
    const pinned = this.fingerprint === undefined ? {} : { fingerprint: this.fingerprint };
    const joined = { balancer, credential, endpoint_id, ...pinned };
    this.#identity = { ...this.#identity, joined };
    saveIdentity(home, this.#identity);
    log.info({ balancer, name, url }, "join.enrolled");
    return answer;
  }

  /** Logs when the balancer does not reach this node, and when it reaches it again. */
  #logReachability({ reachable, reason, url }: z.infer<typeof AnnouncementAnswer>): void {
    const { log, balancer } = this.#options;
    const text = reachable ? "" : `${url}: ${reason}`;
    if (text === this.#logged) return;
    this.#logged = text;
    if (reachable) log.info({ balancer, url }, "join.joined");
    else {
      const advice =
        "listen where the balancer can connect (--host), or name the way (--advertise)";
      log.warn({ balancer, url, reason, advice }, "join.unreachable");
    }
  }

  async #post(
    action: "enrol" | "announce" | "leave",
    body: object,
    { credential, timeoutMs = ANSWER_MS_MAX }: { credential?: string; timeoutMs?: number } = {},
  ): Promise<unknown> {
    const { balancer, proxy } = this.#options;
    const path = action === "enrol" ? "" : `/${this.#identity.node_id}/${action}`;
    const answer = await ask(balancer, {
      ...{ url: `${balancer}/api/nodes${path}`, proxy, fingerprint: this.fingerprint, timeoutMs },
      headers: {
        "content-type": "application/json",
        ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
      },
      body: Buffer.from(JSON.stringify(body)),
      limitBytes: ANSWER_BYTES_MAX,
      signal: NEVER,
    });
    const text = new TextDecoder().decode(answer.body);
    const { status } = answer.head;
    if (status >= 200 && status < 300) return text === "" ? undefined : JSON.parse(text);
    const message = refusalIn(text) ?? `${balancer} answered HTTP ${status}`;
    if (status === 401 && action !== "enrol") throw new UnknownNodeError(message);
    const final = status >= 400 && status < 500 && status !== 429;
    throw final ? new RefusalError(message) : new Error(message);
  }

  #schedule(delayMs: number): void {
    if (this.#leaving) return;
    const announce = () => {
      this.#timer = undefined;
      this.#announce();
    };
    this.#timer = setTimeout(announce, delayMs * (0.9 + 0.2 * Math.random()));
    this.#timer.unref();
  }
}

/** Sends a request to the balancer. Throws an error that says in words why it is not reached. */
async function ask(balancer: string, options: GetOptions): Promise<Answer> {
  try {
    return await get(options);
  } catch (cause) {
    if (!(cause instanceof ClientError)) throw cause;
    const late = cause.code === "timeout" ? "it does not answer in time" : undefined;
    const words = late ?? connectionProblem(cause.cause) ?? cause.message.replace(/\.$/, "");
    throw new Error(`Reaching the balancer ${balancer} failed: ${words}.`, { cause });
  }
}

const ErrorReply = z.object({ error: z.object({ message: z.string() }) });

/** The balancer's own sentence about an error; undefined if the answer has none. */
function refusalIn(text: string): string | undefined {
  const sentence = ErrorReply.safeParse(parseJson(text)).data?.error.message;
  return sentence?.replace(/^Enrolling the node failed: /, "");
}

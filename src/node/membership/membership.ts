import type { z } from "zod";
import { backoffMs } from "../../lib/backoff.ts";
import type { Logger } from "../../lib/log.ts";
import { type AnnounceBody, type EnrolBody, Enrolled, Welcome } from "../../wire/enrolment.ts";
import { type Identity, saveIdentity } from "./identity.ts";

/** What a node tells of itself besides where it is. */
export type Self = Pick<EnrolBody, "name" | "version" | "device" | "models" | "slots">;

export interface MembershipOptions {
  /** Base URL of the balancer. */
  balancer: string;
  /** For the first time; later the node has a credential of its own. */
  token: string | null;
  /** Where the balancer reaches this node; null: where the balancer sees it. */
  advertise: string | null;
  home: string;
  identity: Identity;
  log: Logger;
  describe(): Promise<Self>;
  /** Called when the balancer has answered: the node is known there. */
  onWelcome?(): void;
  /** Time between two announcements. Default: 30 s. */
  everyMs?: number;
}

const EVERY_MS = 30_000;
const RETRY = { firstMs: 500, maxMs: 30_000 };
const ANSWER_MS_MAX = 20_000;
const LEAVE_MS_MAX = 2000;

/** A refusal that only a person can mend. */
class Refused extends Error {}
/** The balancer does not know this node (any more). */
class Unknown extends Error {}

/** A node's place at a balancer: it enrols, says regularly where it is, and says when it leaves. */
export class Membership {
  readonly #options: MembershipOptions;
  #identity: Identity;
  #port = 0;
  #failures = 0;
  #timer: Timer | undefined;
  #leaving = false;
  #reported = "";

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#identity = options.identity;
  }

  /** Begins to announce the node, which listens on `port` by now. */
  start(port: number): void {
    this.#port = port;
    this.#announce();
  }

  /** Says that the node leaves. Never throws: a balancer that is gone need not know. */
  async leave(): Promise<void> {
    this.#leaving = true;
    clearTimeout(this.#timer);
    const credential = this.credential;
    if (credential === undefined) return;
    try {
      await this.#post("leave", {}, { credential, timeoutMs: LEAVE_MS_MAX });
    } catch (err) {
      this.#options.log.debug({ err }, "join.leave_failed");
    }
  }

  /** What the node proves itself with; undefined as long as it is not enrolled. */
  get credential(): string | undefined {
    const { joined } = this.#identity;
    return joined?.balancer === this.#options.balancer ? joined.credential : undefined;
  }

  async #announce(): Promise<void> {
    const { everyMs = EVERY_MS, log } = this.#options;
    try {
      const welcome = await this.#join();
      this.#failures = 0;
      this.#report(welcome);
      this.#options.onWelcome?.();
      this.#schedule(everyMs);
    } catch (err) {
      const again = backoffMs(this.#failures, RETRY);
      this.#failures += 1;
      const reason = err instanceof Error ? err.message : String(err);
      if (this.#leaving) return;
      // Told once: a balancer that is down for a night is one line.
      if (reason !== this.#reported) {
        const event = err instanceof Refused ? "join.refused" : "join.failed";
        log[err instanceof Refused ? "error" : "warn"]({ reason }, event);
      }
      this.#reported = reason;
      this.#schedule(err instanceof Refused ? RETRY.maxMs : again);
    }
  }

  async #join(): Promise<Welcome> {
    const { describe, identity, advertise } = this.#options;
    const { models, slots, ...self } = await describe();
    const told: AnnounceBody = {
      ...(advertise === null ? {} : { url: advertise }),
      ...{ port: this.#port, api_key: identity.key, models, slots },
    };
    const credential = this.credential;
    if (credential === undefined) return this.#enrol({ ...self, ...told });
    try {
      return Welcome.parse(await this.#post("announce", told, { credential }));
    } catch (err) {
      if (!(err instanceof Unknown) || this.#options.token === null) throw err;
      return this.#enrol({ ...self, ...told });
    }
  }

  async #enrol(told: Omit<EnrolBody, "token" | "node_id">): Promise<Enrolled> {
    const { balancer, token, home, log } = this.#options;
    const { node_id } = this.#identity;
    if (token === null) throw new Refused("joining needs a token: llmlb endpoint token makes one");
    const body: EnrolBody = { ...told, token, node_id };
    const enrolled = Enrolled.parse(await this.#post("enrol", body));
    const { credential, endpoint_id, name, url } = enrolled;
    this.#identity = { ...this.#identity, joined: { balancer, credential, endpoint_id } };
    saveIdentity(home, this.#identity);
    log.info({ balancer, name, url }, "join.enrolled");
    return enrolled;
  }

  /** Says so when the balancer does not reach this node, and when it does again. */
  #report({ reachable, reason, url }: z.infer<typeof Welcome>): void {
    const { log, balancer } = this.#options;
    const text = reachable ? "" : `${url}: ${reason}`;
    if (text === this.#reported) return;
    this.#reported = text;
    if (reachable) log.info({ balancer, url }, "join.joined");
    else {
      const advice =
        "listen where the balancer can connect (--host), or name the way (--advertise)";
      log.warn({ balancer, url, reason, advice }, "join.unreachable");
    }
  }

  async #post(
    what: "enrol" | "announce" | "leave",
    body: object,
    { credential, timeoutMs = ANSWER_MS_MAX }: { credential?: string; timeoutMs?: number } = {},
  ): Promise<unknown> {
    const { balancer } = this.#options;
    const path = what === "enrol" ? "" : `/${this.#identity.node_id}/${what}`;
    const response = await fetch(`${balancer}/api/nodes${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
      },
      body: JSON.stringify(body),
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    if (response.ok) return text === "" ? undefined : JSON.parse(text);
    const message = `${balancer} answered HTTP ${response.status}: ${text.slice(0, 500)}`;
    if (response.status === 401 && what !== "enrol") throw new Unknown(message);
    const final = response.status >= 400 && response.status < 500 && response.status !== 429;
    throw final ? new Refused(message) : new Error(message);
  }

  #schedule(delayMs: number): void {
    if (this.#leaving) return;
    this.#timer = setTimeout(() => this.#announce(), delayMs * (0.9 + 0.2 * Math.random()));
    this.#timer.unref();
  }
}

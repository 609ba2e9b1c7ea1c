import type { Audit } from "../auth/audit/openaudit.ts";
import type { State } from "../db/database.ts";

export interface HandoverParts {
  audit: Pick<Audit, "suspend" | "resume" | "handOver">;
  limitCounts: State["limitCounts"];
  /** Ends what runs in the background. */
  endBackground(): void;
}

/** How a balancer's state goes to another process while this one still answers requests. */
export interface Handover {
  /** Holds back what only one process may do with the state: another one is to take over. */
  suspend(): Promise<void>;
  /** No other takes over after all. */
  resume(): void;
  /** After `suspend`: another has taken over. Ends what runs in the background. */
  handOver(): void;
}

/**
 * The audit log is a chain, which one process makes longer, and what keys have used of their limits
 * is stored as a whole: both are written by one process at a time. History may be written by two.
 */
export function handoverOf({ audit, limitCounts, endBackground }: HandoverParts): Handover {
  return {
    suspend: async () => {
      await audit.suspend();
      await limitCounts.queue.flush();
    },
    resume: () => audit.resume(),
    handOver: () => {
      audit.handOver();
      limitCounts.handOver();
      endBackground();
    },
  };
}

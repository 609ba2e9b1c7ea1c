import { LLAMA_CPP_VERSION } from "../../config/version.ts";
import type { App } from "../../http/server/app.ts";
import { peerOf } from "../../http/server/peer.ts";
import { readQuery } from "../../http/server/query.ts";
import type { AppContext } from "../../http/server/scope.ts";
import { upgradeToWebSocket } from "../../http/server/websocket.ts";
import { devicesToLend } from "../../model/lentdevices.ts";
import { ApiError } from "../../wire/error.ts";
import {
  LENDING_PATH,
  type LendingOffer,
  LendingQuery,
  LLAMA_CPP_HEADER,
} from "../../wire/lending.ts";
import type { Device } from "../../wire/system.ts";
import type { Lender } from "./lender.ts";

export interface LendingParts {
  /** Undefined: this node lends nothing. */
  lender: Lender | undefined;
  devices(): Promise<Device[]>;
}

/**
 * Adds `GET /api/rpc`: what this node has to lend, or with `Upgrade: websocket` a tunnel to its
 * devices. The key was checked before. No page of a browser may open it, whatever it knows.
 */
export function addLendingRoutes(app: App, { lender, devices }: LendingParts): void {
  app.get(LENDING_PATH, async (c) => {
    refusePages(c);
    if (lender === undefined) throw notLending();
    requireSameVersion(c);
    if (c.req.header("upgrade") !== undefined) return openTunnel(c, lender);
    const lent = devicesToLend(await devices());
    const { loans, loans_max } = lender.state();
    const offer: LendingOffer = {
      ...{ llama_cpp_version: LLAMA_CPP_VERSION, devices: lent },
      ...{ loans: loans.length, loans_max },
    };
    return c.json(offer);
  });
}

function openTunnel(c: AppContext, lender: Lender): Response {
  const { head, model } = readQuery(c, LendingQuery);
  const loan = lender.lendTo({ head, model, address: peerOf(c) ?? "unknown" });
  try {
    return upgradeToWebSocket(c, loan);
  } catch (error) {
    loan.end("no WebSocket was asked for");
    throw error;
  }
}

/** Browsers send these with each WebSocket that a page opens, and let no page leave them out. */
function refusePages({ req }: AppContext): void {
  const origin = req.header("origin") ?? req.header("sec-fetch-site");
  if (origin === undefined) return;
  const message = `The request was refused: a page of ${origin.slice(0, 200)} sent it, and devices \
are lent to nodes only.`;
  throw new ApiError("forbidden", message, { code: "origin_not_allowed" });
}

function notLending(): ApiError {
  const message = "This node lends no devices: start it with --rpc-worker if it should.";
  return new ApiError("not_found", message, { code: "not_lending" });
}

/** The protocol of llama.cpp's RPC backend differs from release to release. */
function requireSameVersion({ req }: AppContext): void {
  const theirs = req.header(LLAMA_CPP_HEADER);
  if (theirs === LLAMA_CPP_VERSION) return;
  const message = `The devices of this node cannot be lent: it has llama.cpp ${LLAMA_CPP_VERSION}, \
the other node ${theirs?.slice(0, 50) ?? "an unknown one"}. Install the same llmlb on both.`;
  throw new ApiError("conflict", message, { code: "version_mismatch" });
}

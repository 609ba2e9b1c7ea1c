/** What requests a fault is about: the API, `resolve` and `raw`, or what they redirect to. */
export type FaultStage = "api" | "resolve" | "cdn";

/** What happens instead of a proper answer. */
export type Mishap =
  | { status: number; headers?: Record<string, string>; body?: string }
  /** The connection ends after this many bytes of the body. */
  | { cutAfter: number }
  /** Nothing comes any more after this many bytes of the body. */
  | { stallAfter: number }
  /** The answer comes late. */
  | { delayMs: number }
  /** One bit of the byte at this place of the file is another. */
  | { wrongByteAt: number }
  /** The file is named by another ETag. */
  | { etag: string }
  /** A redirect to somewhere else. */
  | { redirectTo: string };

/** Something that goes wrong. */
export interface HubFault {
  on: FaultStage;
  mishap: Mishap;
  /** Only of this repository. */
  repo?: string;
  /** Only of this file (path in the repository). */
  file?: string;
  /** So many requests are spared first. Default: 0. */
  after?: number;
  /** How often it happens. Default: always. */
  times?: number;
}

/** The faults of a hub, in the order in which they were given. */
export class HubFaults {
  #faults: (HubFault & { after: number; times: number })[] = [];

  /** Makes something go wrong from now on. */
  add(fault: HubFault): void {
    this.#faults.push({ after: 0, times: Number.POSITIVE_INFINITY, ...fault });
  }

  /** All is well again. */
  clear(): void {
    this.#faults = [];
  }

  /** What goes wrong with this request; the first fault that fits is used up by it. */
  next(stage: FaultStage, repo: string, file: string | undefined): Mishap | undefined {
    const fault = this.#faults.find((one) => {
      if (one.on !== stage || one.times === 0) return false;
      if (one.repo !== undefined && one.repo !== repo) return false;
      return one.file === undefined || one.file === file;
    });
    if (fault === undefined) return undefined;
    if (fault.after > 0) {
      fault.after -= 1;
      return undefined;
    }
    fault.times -= 1;
    return fault.mishap;
  }
}

/** A hub that has had too many requests, as it says it (IETF draft `RateLimit` headers). */
export function tooManyRequests(retryAfterS: number): Mishap {
  return {
    status: 429,
    headers: {
      "retry-after": String(retryAfterS),
      ratelimit: `"api";r=0;t=${retryAfterS}`,
      "ratelimit-policy": '"fixed window";"api";q=500;w=300',
    },
    body: JSON.stringify({ error: "We had to rate limit your IP." }),
  };
}

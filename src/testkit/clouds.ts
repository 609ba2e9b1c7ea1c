import { Providers, type ProvidersOptions } from "../balancer/providers/providers.ts";
import { Hops } from "../http/proxy/hops.ts";
import { createLogger } from "../lib/log.ts";
import { googleServer } from "./servers/google/server.ts";
import { openaiServer } from "./servers/openai.ts";
import { TEST_SETTINGS } from "./settings.ts";

/** Settings without a single key. */
export const KEYLESS: ProvidersOptions["settings"] = { ...TEST_SETTINGS, port: 32_768 };

/** Providers and stand-ins for clouds, until it is disposed of. */
export class Clouds implements Disposable {
  readonly #opened: Disposable[] = [];

  /** The providers of such settings; `now` is their clock, in unix ms. */
  of(more: Partial<ProvidersOptions["settings"]>, now?: () => number): Providers {
    const log = createLogger({ level: "silent" });
    const settings = { ...KEYLESS, ...more };
    const clock = now === undefined ? {} : { now };
    const made = new Providers({ settings, hops: new Hops(), log, ...clock });
    this.#opened.push({ [Symbol.dispose]: () => made.close() });
    return made;
  }

  google(): ReturnType<typeof googleServer> {
    return this.#add(googleServer());
  }

  openai(): ReturnType<typeof openaiServer> {
    return this.#add(openaiServer());
  }

  [Symbol.dispose](): void {
    for (const one of this.#opened.splice(0)) one[Symbol.dispose]();
  }

  #add<T extends Disposable>(server: T): T {
    this.#opened.push(server);
    return server;
  }
}

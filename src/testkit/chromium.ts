import { temporaryHome } from "./command.ts";
import { killWithParent } from "./processes.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"];
const START_MS_MAX = 30_000;

/**
 * Where Chromium is: `CHROMIUM`, or one of its usual names in the path. Undefined, with a
 * warning: nowhere; throws then if `NEEDS_CHROMIUM` is set, as where nothing may be left out.
 */
export function findChromium(): string | undefined {
  const found = [process.env.CHROMIUM ?? "", ...NAMES].map((name) => name && Bun.which(name));
  const path = found.find((one) => one !== null && one !== "") ?? undefined;
  if (path !== undefined) return path;
  const what = "There is no Chromium: install it, or name it in CHROMIUM.";
  if ((process.env.NEEDS_CHROMIUM ?? "") !== "") throw new Error(what);
  console.warn(`Tests in a browser are left out. ${what}`);
  return undefined;
}

/** A Chromium of its own, empty, in which every name leads to this machine. */
export class Chromium implements AsyncDisposable {
  readonly #home = temporaryHome();
  readonly #child;
  readonly #watchdog;
  readonly #answers = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  #socket: WebSocket | undefined;
  #lastId = 0;

  private constructor(path: string) {
    const flags = [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      ...["--disable-dev-shm-usage", `--user-data-dir=${this.#home.path}`],
      ...["--host-resolver-rules=MAP * 127.0.0.1", "--remote-debugging-port=0", "about:blank"],
    ];
    const env = { ...process.env, HOME: this.#home.path };
    const stdio = { stdin: "ignore", stdout: "ignore", stderr: "pipe" } as const;
    this.#child = Bun.spawn([path, ...flags], { ...stdio, env });
    this.#watchdog = killWithParent(this.#child.pid);
  }

  /** Starts it. Throws if that takes half a minute. */
  static async start(path: string): Promise<Chromium> {
    const browser = new Chromium(path);
    const timer = setTimeout(() => browser.#child.kill("SIGKILL"), START_MS_MAX);
    try {
      await browser.#connect();
      return browser;
    } catch (cause) {
      await browser[Symbol.asyncDispose]();
      throw new Error("Chromium did not start.", { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Opens a page in a tab of its own. */
  async open(url: string): Promise<ChromiumPage> {
    const { targetId } = await this.#call("Target.createTarget", { url: "about:blank" });
    const attached = await this.#call("Target.attachToTarget", { targetId, flatten: true });
    const session = String(attached.sessionId);
    await this.#call("Page.navigate", { url }, session);
    const page = {
      run: async (script: string): Promise<unknown> => {
        const call = { expression: script, awaitPromise: true, returnByValue: true };
        const { result, exceptionDetails } = (await this.#call(
          "Runtime.evaluate",
          call,
          session,
        )) as { result: { value?: unknown }; exceptionDetails?: object };
        if (exceptionDetails === undefined) return result.value;
        throw new Error(`The page failed: ${JSON.stringify(exceptionDetails)}`);
      },
    };
    while ((await page.run("document.readyState + location.href")) !== `complete${url}`) {
      await Bun.sleep(50);
    }
    return page;
  }

  /** Gives it a cookie, as a server would have set it. */
  async setCookie(url: string, name: string, value: string): Promise<void> {
    const cookie = { url, name, value, httpOnly: true, sameSite: "Lax" };
    await this.#call("Storage.setCookies", { cookies: [cookie] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.close();
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 3000);
    await this.#child.exited;
    clearTimeout(timer);
    this.#watchdog.stdin.write("done\n");
    await this.#watchdog.stdin.end();
    this.#home[Symbol.dispose]();
  }

  async #connect(): Promise<void> {
    const decoder = new TextDecoder();
    let heard = "";
    const reader = this.#child.stderr.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      heard += decoder.decode(value, { stream: true });
      const address = /DevTools listening on (ws:\S+)/.exec(heard)?.[1];
      if (address !== undefined) {
        reader.releaseLock();
        this.#socket = new WebSocket(address);
        break;
      }
      if (done) throw new Error(heard);
    }
    // It must be taken, or the browser waits one day.
    void this.#child.stderr.pipeTo(new WritableStream()).catch(() => undefined);
    const socket = this.#socket;
    socket.onmessage = ({ data }) => {
      const { id, result, error } = JSON.parse(String(data));
      if (error === undefined) this.#answers.get(id)?.resolve(result);
      else this.#answers.get(id)?.reject(new Error(JSON.stringify(error)));
    };
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
  }

  #call(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
    this.#lastId += 1;
    const answer = Promise.withResolvers<Record<string, unknown>>();
    this.#answers.set(this.#lastId, answer);
    this.#socket?.send(JSON.stringify({ id: this.#lastId, method, params, sessionId }));
    return answer.promise;
  }
}

/** A page in a tab. */
export interface ChromiumPage {
  /** Runs a script in the page, waits for what it promises, and returns its value. */
  run(script: string): Promise<unknown>;
}

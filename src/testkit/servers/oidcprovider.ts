import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-expect-error The package has no types.
import Provider from "oidc-provider";

type ProviderClass = new (
  issuer: string,
  configuration: object,
) => {
  callback(): RequestListener;
};

/** What the provider knows of its users, by the name that they log in with there. */
export type OidcUsers = Record<string, Record<string, unknown>>;

const CLIENT_ID = "llmlb";
const CLIENT_SECRET = "canary secret/+ of the client";

/** A real OpenID Connect provider on a free port of this machine. */
export class OidcServer implements AsyncDisposable {
  readonly #server: Server;
  /** Claims may be changed at any time; so may what is in them. */
  readonly users: OidcUsers;

  private constructor(server: Server, users: OidcUsers) {
    this.#server = server;
    this.users = users;
  }

  /** Listens; nothing answers before `serve`, since the client's address must be known for that. */
  static async listen(users: OidcUsers): Promise<OidcServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new OidcServer(server, users);
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The arguments that make llmlb its client. */
  get args(): string[] {
    return ["--oidc-issuer", this.issuer, "--oidc-client-id", CLIENT_ID];
  }

  get secret(): string {
    return CLIENT_SECRET;
  }

  /** Answers from now on. */
  serve(redirectUri: string): void {
    const provider = new (Provider as ProviderClass)(this.issuer, {
      clients: [
        { client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [redirectUri] },
      ],
      claims: { openid: ["sub"], profile: ["preferred_username", "name", "groups"] },
      findAccount: (_: unknown, accountId: string) => ({
        accountId,
        claims: () => ({ sub: accountId, ...this.users[accountId] }),
      }),
      cookies: { keys: ["of tests"] },
      pkce: { required: () => true },
    });
    this.#server.on("request", provider.callback());
  }

  /**
   * Goes to `url` as a browser would, logs in as `name` and agrees. Returns where the browser is
   * sent back to; it has not gone there.
   */
  async visit(url: string, name: string): Promise<string> {
    const jar = new Map<string, string>();
    let next = new URL(url);
    let form: URLSearchParams | undefined;
    while (next.origin === this.issuer) {
      const response = await this.#go(next, jar, form);
      const location = response.headers.get("location");
      const text = await response.text();
      if (location !== null) {
        next = new URL(location, next);
        form = undefined;
        continue;
      }
      const prompt = /name="prompt" value="(\w+)"/.exec(text)?.[1];
      if (prompt === undefined || form !== undefined) {
        throw new Error(`The provider answered ${response.status}: ${text.slice(-2000)}`);
      }
      form = new URLSearchParams({ prompt, login: name, password: "any" });
    }
    return next.href;
  }

  async #go(url: URL, jar: Map<string, string>, body?: URLSearchParams): Promise<Response> {
    const cookie = Array.from(jar, ([name, value]) => `${name}=${value}`).join("; ");
    const method = body === undefined ? "GET" : "POST";
    const sent = body === undefined ? {} : { body };
    const response = await fetch(url, { method, headers: { cookie }, redirect: "manual", ...sent });
    for (const set of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      jar.set(name, value);
    }
    return response;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** What a browser does with cookies, without a browser: keeps them, and sends them back. */
export class Browser {
  readonly cookies = new Map<string, string>();
  /** What its page sends as `X-CSRF-Token`, if anything. */
  csrfToken: string | undefined;
  /** The server's address. */
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Its cookies, as a real browser takes them. */
  get jar(): { name: string; value: string; url: string }[] {
    return Array.from(this.cookies, ([name, value]) => ({ name, value, url: this.url }));
  }

  /** Sends a request with the cookies; an object is sent as JSON. No redirect is followed. */
  async send(route: string, body?: object, more: Record<string, string> = {}): Promise<Response> {
    const [method = "", path = ""] = route.split(" ");
    const headers = new Headers({ ...this.#headers(), ...more });
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    if (body !== undefined) headers.set("content-type", "application/json");
    const url = new URL(path, this.url);
    const response = await fetch(url, { method, headers, redirect: "manual", ...json });
    this.#keep(response);
    return response;
  }

  /** Logs in, and keeps the token that the answer tells. */
  async logIn(username: string, password: string): Promise<Response> {
    const response = await this.send("POST /api/auth/login", { username, password });
    await this.learn(response);
    return response;
  }

  /** Keeps the CSRF token of an answer, if it has one. */
  async learn(response: Response): Promise<void> {
    const answer = (await response.clone().json()) as { csrf_token?: string };
    if (answer.csrf_token !== undefined) this.csrfToken = answer.csrf_token;
  }

  #headers(): Record<string, string> {
    const cookie = Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join("; ");
    return {
      ...(cookie !== "" && { cookie }),
      ...(this.csrfToken !== undefined && { "x-csrf-token": this.csrfToken }),
    };
  }

  #keep(response: Response): void {
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (/max-age=0/i.test(cookie) || value === "") this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }
}

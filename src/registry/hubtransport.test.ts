import { describe, expect, test } from "bun:test";
import { silent } from "../testkit/state.ts";
import { HubTransport } from "./hubtransport.ts";

function server(answer: (path: string) => Response) {
  const asked: string[] = [];
  const running = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      return answer(pathname);
    },
  });
  const { port } = running;
  return {
    asked,
    url: `http://127.0.0.1:${port}`,
    /** The same server, by a name that is another host. */
    other: `http://localhost:${port}`,
    [Symbol.dispose]: () => void running.stop(true),
  };
}

function outcome(hubUrl: string, url: string, allowlist: string[] = []): Promise<string> {
  const transport = new HubTransport({ hubUrl, allowlist, token: "hf_t", log: silent });
  return transport.fetch(url).then(
    ({ status }) => String(status),
    (error) => `${error.failure}: ${error.message}`,
  );
}

describe("the hub is asked where it may be", () => {
  test("at the first address, which may be the next page that it named", async () => {
    using hub = server(() => new Response("ok"));
    expect(await outcome(hub.url, `${hub.url}/a`)).toBe("200");
    expect(await outcome(hub.url, `${hub.other}/next`)).toStartWith(`origin: ${hub.other}`);
    expect(await outcome(hub.url, `${hub.other}/next`, ["localhost"])).toBe("200");
    expect(hub.asked).toEqual(["/a", "/next"]);
    const hf = "https://huggingface.co";
    expect(await outcome(hf, `${hf}/api/models/a/b`, ["mirror.example"])).toStartWith("origin: ");
  });

  test("at each redirect", async () => {
    using far = server(() => new Response("ok"));
    using hub = server(() => Response.redirect(`${far.other}/file`, 302));
    expect(await outcome(hub.url, `${hub.url}/a`)).toStartWith(`origin: ${far.other}`);
    expect(far.asked).toEqual([]);
    expect(await outcome(hub.url, `${hub.url}/a`, ["localhost:*"])).toBe("200");
  });
});

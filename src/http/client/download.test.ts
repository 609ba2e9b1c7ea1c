import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rawAnswer, rawTarget } from "../../testkit/servers/tcp.ts";
import { type Download, type DownloadOptions, download } from "./download.ts";

const OPTIONS: DownloadOptions = {
  allowPrivate: true,
  limitBytes: 1000,
  signal: new AbortController().signal,
  accept: "image/*",
};

function reasonOf(result: Download): string {
  if (result.ok) throw new Error("it was fetched");
  return result.why === "failed" ? result.reason : `${result.why} ${result.bytes}`;
}

let server: Bun.Server<undefined>;
let base = "";
const hosts: (string | null)[] = [];

function answer(request: Request): Response {
  const { pathname, searchParams } = new URL(request.url);
  hosts.push(request.headers.get("host"));
  const redirect = (location: string) => new Response(null, { status: 302, headers: { location } });
  switch (pathname) {
    case "/hop": {
      const left = Number(searchParams.get("n"));
      return redirect(left > 1 ? `/hop?n=${left - 1}` : "/image");
    }
    case "/to":
      return redirect(searchParams.get("url") ?? "");
    case "/image":
      return new Response("picture", { headers: { "content-type": "image/png" } });
    case "/gzip":
      return new Response("x", { headers: { "content-encoding": "gzip" } });
    case "/large":
      return new Response("x".repeat(1001));
    case "/endless":
      return new Response(
        new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(400)) }),
      );
    default:
      return new Response("no", { status: 404 });
  }
}

beforeAll(() => {
  server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  base = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.stop(true));

describe("a download", () => {
  test("brings bytes and content type, over up to three redirects", async () => {
    for (const path of ["/image", "/hop?n=3"]) {
      const result = await download(base + path, OPTIONS);
      if (!result.ok) throw new Error(reasonOf(result));
      expect(Buffer.from(result.bytes).toString()).toBe("picture");
      expect(result.contentType).toBe("image/png");
    }
    expect(reasonOf(await download(`${base}/hop?n=4`, OPTIONS))).toContain("more than 3 times");
  });

  test("goes to the address that was checked, under the name that was given", async () => {
    hosts.length = 0;
    const result = await download(`http://localhost:${server.port}/image`, OPTIONS);
    expect(result.ok).toBe(true);
    expect(hosts).toEqual([`localhost:${server.port}`]);
  });

  test.each([
    ["/nothing", "the server answered HTTP 404"],
    ["/gzip", "compressed"],
    ["/large", "too_large 1001"],
    ["/to?url=ftp://127.0.0.1/", "neither http nor https"],
    ["/to?url=http://169.254.169.254/latest", "not allowed"],
    ["/to?url=http://metadata.google.internal/", "not allowed"],
    ["/to?url=http://[::ffff:a9fe:a9fe]/", "not allowed"],
    ["/to?url=http://", "no URL"],
  ])("of %s fails: %s", async (path, reason) => {
    expect(reasonOf(await download(base + path, OPTIONS))).toContain(reason);
  });

  test("is counted while it comes, whatever length was declared", async () => {
    const result = await download(`${base}/endless`, OPTIONS);
    expect(reasonOf(result)).toMatch(/^too_large \d{4,}$/);
  });

  test("of no server, no HTTP or half an answer fails", async () => {
    expect(reasonOf(await download("http://127.0.0.1:2/", OPTIONS))).toContain("no connection");
    const mail = await download("http://127.0.0.1:25/", OPTIONS);
    expect(reasonOf(mail)).toContain("nothing is fetched from port 25");
    expect(reasonOf(await download("http://no-such-name.invalid/", OPTIONS))).toContain("resolve");
    using nonsense = rawTarget((c) => c.send("nonsense\r\n\r\n"));
    expect(reasonOf(await download(nonsense.url, OPTIONS))).toBe("the answer is no HTTP");
    using half = rawTarget((c) => {
      c.send(rawAnswer("abc").slice(0, -1));
      setTimeout(() => c.end(), 5);
    });
    expect(reasonOf(await download(half.url, OPTIONS))).toBe("it broke off");
  });

  test("ends with its signal, while it waits for an answer or for the rest of one", async () => {
    for (const text of ["", rawAnswer("abc").slice(0, -1)]) {
      const controller = new AbortController();
      using target = rawTarget((c) => {
        c.send(text);
        setTimeout(() => controller.abort(new Error("enough")), 5);
      });
      const { signal } = controller;
      const caught = await download(target.url, { ...OPTIONS, signal }).catch((error) => error);
      expect(caught).toEqual(new Error("enough"));
      await target.closed(0);
    }
  });
});

test.each([
  ...["http://127.0.0.1:80/", "http://localhost/", "http://10.0.0.1/", "http://[::1]/"],
  ...["http://2130706433/", "http://0x7f.1/", "http://[::ffff:7f00:1]/", "http://192.168.1.1/"],
])("%s is refused unless private addresses are allowed", async (url) => {
  const result = await download(url, { ...OPTIONS, allowPrivate: false });
  expect(reasonOf(result)).toContain("private and loopback");
});

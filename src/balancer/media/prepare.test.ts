import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { inspectImage } from "../../lib/image/imageinfo.ts";
import { animatedWebp } from "../../testkit/animatedwebp.ts";
import { until } from "../../testkit/eventually.ts";
import { pngChunk, pngFile, webpFile } from "../../testkit/images.ts";
import { routeAt } from "../../testkit/route.ts";
import { ApiError } from "../../wire/error.ts";
import { type MediaOptions, prepareMedia } from "./prepare.ts";

function fixture(name: string): Buffer {
  return readFileSync(new URL(`../../../fixtures/images/${name}`, import.meta.url));
}

function dataUrl(name: string, type: string): string {
  return `data:${type};base64,${fixture(name).toString("base64")}`;
}

const PNG = dataUrl("shape.png", "image/png");
const PATH = "/v1/chat/completions";
const MIB = 1024 * 1024;

interface ChatBody {
  model: string;
  seed?: number;
  messages: { role: string; content: { type: string; image_url: { url: string } }[] }[];
}

function chat(...urls: string[]): ChatBody {
  const content = urls.map((url) => ({ type: "image_url", image_url: { url } }));
  return { model: "m", seed: 7, messages: [{ role: "user", content }] };
}

async function prepare(value: object, more: Partial<MediaOptions> = {}) {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const client = { signal: new AbortController().signal };
  const options = {
    route: routeAt(PATH),
    client,
    allowPrivate: true,
    limitBytes: 64 * MIB,
    imagesMax: 10,
    ...more,
  };
  return prepareMedia({ bytes, value, isExact: false }, options);
}

/** How a request that must be refused is refused. */
async function refusal(value: object, more: Partial<MediaOptions> = {}): Promise<ApiError> {
  try {
    await prepare(value, more);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

/** Addresses of the images that a prepared chat request has. */
function urlsOf(value: object): string[] {
  const { messages } = value as ChatBody;
  return messages.flatMap(({ content }) => content.map(({ image_url }) => image_url.url));
}

let server: Bun.Server<undefined>;
let base = "";
let running = 0;
let runningMax = 0;
let hanging = 0;

async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  running += 1;
  runningMax = Math.max(runningMax, running);
  await Bun.sleep(Number(searchParams.get("ms") ?? 1));
  running -= 1;
  const file = (name: string, type: string) =>
    new Response(new Uint8Array(fixture(name)), { headers: { "content-type": type } });
  if (pathname === "/hang") {
    hanging += 1;
    return new Promise(() => undefined);
  }
  if (pathname === "/vast") return new Response(new Uint8Array(pngFile(6144, 6144)));
  if (pathname === "/text") return new Response("hello");
  if (pathname === "/tiff") {
    return new Response("II*", { headers: { "content-type": "image/tiff" } });
  }
  if (pathname === "/cut")
    return new Response(new Uint8Array(fixture("shape.png").subarray(0, 90)));
  if (pathname === "/large") return new Response(new Uint8Array(10 * MIB + 1));
  if (pathname === "/called-png") return file("shape.jpg", "image/png");
  const name = pathname.slice(1);
  return name.startsWith("shape.")
    ? file(name, "application/octet-stream")
    : new Response("", { status: 404 });
}

beforeAll(() => {
  server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  base = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.stop(true));

describe("images that a request brings along", () => {
  test.each([
    ["shape.png", "image/png"],
    ["shape.jpg", "image/jpeg"],
    ["shape.jpg", "image/jpg"],
    ["shape.gif", "IMAGE/GIF"],
  ])("pass as they are: %s as %s", (name, type) => {
    const value = chat(dataUrl(name, type));
    const body = { bytes: new TextEncoder().encode("as it came"), value, isExact: false };
    const client = { signal: new AbortController().signal };
    const limits = { allowPrivate: false, limitBytes: MIB, imagesMax: 1 };
    // At once and the same object: nothing was written anew.
    expect(prepareMedia(body, { route: routeAt(PATH), client, ...limits })).toBe(body);
  });

  test("of WebP go on as PNG with the same pixels, unless all formats are read there", async () => {
    const webp = dataUrl("shape.webp", "image/webp");
    const { bytes, value } = await prepare(chat(webp));
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(value);
    expect(value).toMatchObject({ model: "m", seed: 7 });
    const [url = ""] = urlsOf(value);
    expect(url).toStartWith("data:image/png;base64,");
    const png = Buffer.from(url.slice(url.indexOf(",") + 1), "base64");
    const extent = { width: 100, height: 100 };
    expect(inspectImage(png)).toEqual({ kind: "image", type: "image/png", extent });
    const pixels = await new Bun.Image(png).resize(50, 50).webp({ lossless: true }).bytes();
    const original = new Bun.Image(fixture("shape.webp")).resize(50, 50);
    expect(pixels).toEqual(await original.webp({ lossless: true }).bytes());
    expect(urlsOf((await prepare(chat(webp), { fetchedByUpstream: true })).value)).toEqual([webp]);
  });

  const eleven = Array.from({ length: 11 }, () => PNG);
  const mib15 = `data:image/png;base64,${"A".repeat(15 * MIB)}`;
  test.each([
    ["eleven", eleven, "too_many_images", "Too many images (max 10)"],
    ["bad base64", ["data:image/png;base64,!!!INVALID_BASE64!!!"], "invalid_base64", '"!" at posi'],
    ["no base64", ["data:image/png,abc"], "invalid_base64", "Invalid base64 encoding"],
    ["no comma", ["data:image/png;base64"], "invalid_base64", "Invalid base64 encoding"],
    ["no scheme", ["iVBORw0KGgo="], "invalid_base64", "begins neither with data:"],
    ["nothing", [""], "invalid_base64", "Invalid base64 encoding"],
    ["TIFF", ["data:image/tiff;base64,AAAA"], "unsupported_format", "format: image/tiff"],
    ["SVG", ["data:image/svg+xml;base64,PHN2Zy8+"], "unsupported_format", "image/svg+xml"],
    ["no type", ["data:;base64,AAAA"], "unsupported_format", "Unsupported image format: none"],
    ["too many bytes", [mib15], "image_too_large", "(11796480 bytes > 10485760 bytes)"],
    ["no image", ["data:image/png;base64,AAAA"], "corrupted_image", "no image/png"],
    ["half an image", [PNG.slice(0, 222)], "corrupted_image", "ends early"],
    ["a file", ["file:///etc/passwd"], "fetch_failed", "file: is not fetched"],
  ])("are refused: %s", async (_, urls, code, message) => {
    const error = await refusal(chat(...urls));
    expect(error).toMatchObject({ status: 400, type: "invalid_request_error", code });
    expect(error.message).toContain(message);
    expect(error.param).toBe(`messages.0.content.${urls.length - 1}.image_url`);
  });

  test("are counted in the newest message, not over a conversation", async () => {
    const value = chat(...eleven);
    value.messages.push(...chat(...eleven.slice(0, 5)).messages);
    expect(await prepare(value)).toBeDefined();
    value.messages.push(...chat(...eleven).messages);
    expect(await refusal(value)).toMatchObject({ param: "messages.2.content.10.image_url" });
    expect(await prepare(value, { imagesMax: 11 })).toBeDefined();
    expect(await prepare(chat(...eleven.slice(0, 10)))).toBeDefined();
  });

  const unpadded = PNG.replace(/=+$/, "");
  const broken = PNG.replace(/.{76}/g, "$&\r\n");
  test.each([
    ["another type than it says", dataUrl("shape.jpg", "image/png"), "shape.jpg", "image/jpeg"],
    ["no padding", unpadded, "shape.png", "image/png"],
    ["line ends", broken, "shape.png", "image/png"],
  ])("are mended for whoever reads them: %s", async (_, url, name, type) => {
    for (const fetchedByUpstream of [true, false]) {
      const { bytes, value } = await prepare(chat(url), { fetchedByUpstream });
      expect(urlsOf(value)).toEqual([dataUrl(name, type)]);
      expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(value);
    }
  });

  test("are mended in Anthropic's blocks, which know one name of a type", async () => {
    const data = fixture("shape.jpg").toString("base64");
    const source = { type: "base64", media_type: "image/jpg", data };
    const request = { messages: [{ role: "user", content: [{ type: "image", source }] }] };
    const route = routeAt("/v1/messages");
    const { value } = await prepare(request, { route, fetchedByUpstream: true });
    const exact = { ...source, media_type: "image/jpeg" };
    expect(value).toMatchObject({ messages: [{ content: [{ source: exact }] }] });
  });

  test("of WebP stay WebP where all formats are read, mended or not", async () => {
    const webp = dataUrl("shape.webp", "image/png");
    const { value } = await prepare(chat(webp), { fetchedByUpstream: true });
    expect(urlsOf(value)).toEqual([dataUrl("shape.webp", "image/webp")]);
  });

  test.each(["image/bmp", "image/x-ms-bmp"])("of BMP pass unread: %s", async (type) => {
    const url = `data:${type};base64,Qk0=`;
    const body = {
      bytes: new TextEncoder().encode("as it came"),
      value: chat(url),
      isExact: false,
    };
    const client = { signal: new AbortController().signal };
    const limits = { allowPrivate: false, limitBytes: MIB, imagesMax: 1 };
    expect(prepareMedia(body, { route: routeAt(PATH), client, ...limits })).toBe(body);
  });

  test("without a type are known by their bytes, in Ollama's API", async () => {
    const ollama = (data: string) => ({
      messages: [{ role: "user", content: "x", images: [data] }],
    });
    const route = routeAt("/api/chat");
    await prepare(ollama(fixture("shape.jpg").toString("base64")), { route });
    const { value } = await prepare(ollama(fixture("shape.webp").toString("base64")), { route });
    expect(JSON.stringify(value)).toContain('"images":["iVBOR');
    expect(await refusal(ollama("AAAA"), { route })).toMatchObject({
      code: "unsupported_format",
      param: "messages.0.images.0",
    });
  });
});

describe("the pixels of a request", () => {
  // 36 Mi each, in some kilobytes.
  const png = `data:image/png;base64,${pngFile(6144, 6144).toString("base64")}`;

  test("are counted over all of its images, in every message", async () => {
    const value = chat(...Array.from({ length: 7 }, () => png));
    expect(await prepare(value)).toBeDefined();
    value.messages.push(...chat(png).messages);
    const error = await refusal(value);
    expect(error).toMatchObject({ status: 400, code: "too_many_pixels" });
    expect(error.param).toBe("messages.1.content.0.image_url");
    expect(error.message).toBe(
      "Too many pixels: the images of a request may have 268435456 together. Send fewer or smaller \
ones.",
    );
  });

  test("are those of the frame that is shown, whatever an animation says of itself", async () => {
    const still = await webpFile(10, 10);
    // Each side less one, in 14 bits.
    still.writeUInt32LE(0x0fff_ffff, 21);
    const url = `data:image/webp;base64,${animatedWebp([still]).toString("base64")}`;
    const error = await refusal(chat(url));
    expect(error).toMatchObject({ code: "corrupted_image" });
    expect(error.message).toContain("16384 x 16384 pixels");
  });

  test("are counted of images that are fetched, too", async () => {
    const urls = Array.from({ length: 8 }, () => `${base}/vast`);
    expect(await refusal(chat(...urls))).toMatchObject({ code: "too_many_pixels" });
  });
});

describe("images that have to be decoded", () => {
  const client = () => new AbortController();

  test("are decoded one at a time, and none any more for a client that left", async () => {
    const webp = `data:image/webp;base64,${(await webpFile(3000, 3000)).toString("base64")}`;
    const [first, second] = [client(), client()];
    const ends: string[] = [];
    const ended = (name: string) => () => void ends.push(name);
    const one = prepare(chat(webp), { client: first }).then(ended("first"));
    const two = refusal(chat(webp, webp, webp, webp), { client: second });
    second.abort();
    expect(await two).toMatchObject({ kind: "client_closed" });
    ended("second")();
    await one;
    expect(ends).toEqual(["second", "first"]);
    expect(await refusal(chat(webp), { client: second })).toMatchObject({ kind: "client_closed" });
    await prepare(chat(dataUrl("shape.webp", "image/webp")));
  });

  test("do not wait for vast ones of others, but for the one that is at work", async () => {
    const vast = `data:image/webp;base64,${(await webpFile(2500, 2500)).toString("base64")}`;
    const ends: string[] = [];
    const ended = (name: string) => () => void ends.push(name);
    const others = [1, 2, 3].map(() => prepare(chat(vast)).then(ended("vast")));
    const small = prepare(chat(dataUrl("shape.webp", "image/webp"))).then(ended("small"));
    await Promise.all([...others, small]);
    expect(ends.indexOf("small")).toBeLessThan(2);
  });

  test("may not make the request larger than one may be", async () => {
    const webp = dataUrl("lossy.webp", "image/webp");
    const error = await refusal(chat(webp), { limitBytes: 100 });
    expect(error).toMatchObject({ status: 413, code: "body_too_large" });
  });
});

test("others have their turns while many images are checked", async () => {
  // Of many parts, which are looked at one by one.
  const comments = Array.from({ length: 60_000 }, () => pngChunk("tEXt", Buffer.alloc(0)));
  const file = pngFile(9, 9, [...comments, pngChunk("IDAT", Buffer.alloc(1))]);
  const url = `data:image/png;base64,${file.toString("base64")}`;
  let turns = 0;
  const beat = setInterval(() => {
    turns += 1;
  }, 0);
  await prepare(chat(...Array.from({ length: 10 }, () => url)));
  clearInterval(beat);
  expect(turns).toBeGreaterThan(3);
});

describe("images that are given by URL", () => {
  test("are fetched and put into the request, in order; nothing else of it changes", async () => {
    const urls = [`${base}/shape.png?ms=20`, PNG, `${base}/shape.jpg`, `${base}/shape.webp`];
    const { bytes, value } = await prepare(chat(...urls));
    const got = urlsOf(value);
    expect(got.slice(0, 3)).toEqual([PNG, PNG, dataUrl("shape.jpg", "image/jpeg")]);
    expect(got[3]).toStartWith("data:image/png;base64,");
    const expected = chat(...got);
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(expected);
  });

  test("are told by their bytes, whatever the server calls them", async () => {
    const { value } = await prepare(chat(`${base}/called-png`));
    expect(urlsOf(value)).toEqual([dataUrl("shape.jpg", "image/jpeg")]);
  });

  test("become base64 blocks in Anthropic's messages", async () => {
    const image = { type: "image", source: { type: "url", url: `${base}/shape.png` } };
    const request = { messages: [{ role: "user", content: [image] }] };
    const { value } = await prepare(request, { route: routeAt("/v1/messages") });
    const data = fixture("shape.png").toString("base64");
    const source = { type: "base64", media_type: "image/png", data };
    expect(value as object).toEqual({
      messages: [{ role: "user", content: [{ type: "image", source }] }],
    });
  });

  test("are fetched four at a time", async () => {
    runningMax = 0;
    await prepare(chat(...Array.from({ length: 10 }, () => `${base}/shape.png?ms=20`)));
    expect(runningMax).toBe(4);
  });

  test.each([
    ["/nothing", "fetch_failed", "Failed to fetch image: the server answered HTTP 404."],
    ["/text", "unsupported_format", "Unsupported image format: text/plain"],
    ["/tiff", "unsupported_format", "Unsupported image format: image/tiff"],
    ["/cut", "corrupted_image", "Corrupted image"],
    ["/large", "image_too_large", "(10485761 bytes > 10485760 bytes)"],
  ])("are refused: %s is %s", async (path, code, message) => {
    const error = await refusal(chat(PNG, `${base}${path}`));
    expect(error).toMatchObject({ status: 400, type: "invalid_request_error", code });
    expect(error.message).toContain(message);
    expect(error.param).toBe("messages.0.content.1.image_url");
  });

  test("are not waited for longer than allowed, nor by a client that has gone", async () => {
    const late = await refusal(chat(`${base}/hang`), { fetchTimeoutMs: 20 });
    expect(late).toMatchObject({ status: 400, code: "fetch_timeout" });
    const controller = new AbortController();
    const client = { signal: controller.signal };
    const hangs = hanging + 1;
    const refused = refusal(chat(`${base}/hang`), { client });
    await until(() => hanging === hangs, 15_000);
    controller.abort();
    expect(await refused).toMatchObject({ kind: "client_closed" });
  });

  test("are not fetched from private addresses, unless they may be", async () => {
    const error = await refusal(chat(`${base}/shape.png`), { allowPrivate: false });
    expect(error).toMatchObject({ status: 400, code: "fetch_failed" });
    const metadata = await refusal(chat("http://169.254.169.254/latest/meta-data"));
    expect(metadata).toMatchObject({ status: 400, code: "fetch_failed" });
  });

  test("stay where the endpoint fetches them itself", async () => {
    const url = `${base}/nothing`;
    expect(urlsOf((await prepare(chat(url), { fetchedByUpstream: true })).value)).toEqual([url]);
  });

  test("may not make the request larger than one may be", async () => {
    const error = await refusal(chat(`${base}/shape.jpg`), { limitBytes: 1000 });
    expect(error).toMatchObject({ status: 413, code: "body_too_large" });
  });
});

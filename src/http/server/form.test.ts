import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ApiError } from "../../wire/error.ts";
import { type Form, type FormOptions, type PartialForm, readForm } from "./form.ts";
import { MultipartParser } from "./multipart.ts";

const folder = mkdtempSync(join(tmpdir(), "llmlb-form-"));
afterAll(() => rmSync(folder, { recursive: true }));

const B = "----border";
const ALL: FormOptions = { limitBytes: 1_000_000, isEnough: () => false, folder };

function field(name: string, value: string): string {
  return `--${B}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

function file(name: string, filename: string, data: string, type = "audio/wav"): string {
  const head = `Content-Disposition: form-data; name="${name}"; filename="${filename}"`;
  return `--${B}\r\n${head}\r\nContent-Type: ${type}\r\n\r\n${data}\r\n`;
}

const END = `--${B}--\r\n`;

/** A request whose body comes in these pieces. */
function request(pieces: string[], headers: Record<string, string> = {}): Request {
  const left = pieces.values();
  const body = new ReadableStream({
    pull(controller) {
      const { value, done } = left.next();
      if (done) controller.close();
      else controller.enqueue(Buffer.from(value));
    },
  });
  return new Request("http://a/", {
    method: "POST",
    headers: { "content-type": `multipart/form-data; boundary=${B}`, ...headers },
    body,
  });
}

async function sent(form: Form, model?: string): Promise<string> {
  const { stream, length } = form.body(model);
  const bytes = Buffer.concat(await Array.fromAsync(stream));
  if (length !== undefined) expect(bytes.byteLength).toBe(length);
  return bytes.toString();
}

/** How reading a form that must be refused is refused. */
async function refusal(asked: Request, options: Partial<FormOptions> = {}): Promise<unknown> {
  try {
    await readForm(asked, { ...ALL, ...options });
  } catch (error) {
    return error;
  }
  throw new Error("it was read");
}

const hasModel = (form: PartialForm) => form.field("model") !== undefined;

describe("a form", () => {
  test("is sent on byte for byte, without waiting for what stands behind the model", async () => {
    const large = "x".repeat(100_000);
    let asked = 0;
    async function* stream() {
      asked += 1;
      yield Buffer.from(field("model", "m") + file("file", "a.wav", "RIFF").slice(0, -2));
      for (let i = 0; i < 5; i += 1) {
        asked += 1;
        yield Buffer.from(large);
      }
      yield Buffer.from(`\r\n${END}`);
    }
    const headers = { "content-type": `multipart/form-data; boundary="${B}"` };
    const init = { method: "POST", headers, body: stream() as unknown as BodyInit };
    const form = await readForm(new Request("http://a/", init), { ...ALL, isEnough: hasModel });
    expect(form.field("model")?.value).toBe("m");
    expect(form.files[0]).toMatchObject({ field: "file", filename: "a.wav", whole: false });
    expect(form.ended).toBe(false);
    expect(asked).toBeLessThan(5);
    const expected = field("model", "m") + file("file", "a.wav", `RIFF${large.repeat(5)}`) + END;
    expect(await sent(form)).toBe(expected);
    expect(form.sendable).toBe(false);
    expect(() => form.body()).toThrow("sent already");
    await form.close();
  });

  test("whose model stands last is kept, in a nameless file if large, and sent again", async () => {
    const pieces = [file("file", "a.wav", "y".repeat(5000)), field("model", "m"), END];
    for (const memoryBytes of [100, 100_000]) {
      const options = { ...ALL, memoryBytes, isEnough: hasModel };
      const form = await readForm(request([...pieces, ""]), { ...options, isEnough: () => false });
      expect([form.ended, form.sendable]).toEqual([true, true]);
      expect(form.files).toMatchObject([{ bytes: 5000, whole: true }]);
      for (let i = 0; i < 2; i += 1) expect(await sent(form)).toBe(pieces.join(""));
      expect(readdirSync(folder)).toEqual([]);
      await form.close();
      await form.close();
    }
  });

  test("gets another model in its place, or one in front of it", async () => {
    const around = [field("a", "1"), file("file", "b", "2"), END];
    const [a = "", b = ""] = around;
    for (const length of [1, 3, 1000]) {
      const whole = a + field("model", "old") + b + END;
      const pieces = whole.match(new RegExp(`[^]{1,${length}}`, "g")) ?? [];
      const form = await readForm(request(pieces), ALL);
      expect(await sent(form, "another/model")).toBe(a + field("model", "another/model") + b + END);
      expect(await sent(form)).toBe(whole);
      await form.close();
    }
    const without = await readForm(request(around), ALL);
    expect(await sent(without, "m")).toBe(field("model", "m") + around.join(""));
    await without.close();
  });

  test("with a length tells it on, changed as the model is", async () => {
    const whole = field("model", "old") + END;
    const asked = request([whole], { "content-length": String(whole.length) });
    const form = await readForm(asked, { ...ALL, isEnough: hasModel });
    expect(form.body("newer").length).toBe(whole.length + 2);
    await form.close();
  });

  test.each([
    ["another content type", { "content-type": "application/json" }, 415, "unsupported_media_type"],
    ["no boundary", { "content-type": "multipart/form-data" }, 400, "invalid_form"],
    ["compression", { "content-encoding": "gzip" }, 415, "unsupported_media_type"],
    ["too great a length", { "content-length": "1000001" }, 413, "body_too_large"],
  ])("is refused with %s", async (_, headers: Record<string, string>, status, code) => {
    expect(await refusal(request([END], headers))).toMatchObject({ status, code });
  });

  const many = field("a", "b").repeat(65);
  test.each([
    ["no last boundary", [field("a", "b")]],
    ["nothing", []],
    ["no boundary", ["hello"]],
    ["a boundary in mid-line", [`--${B}x\r\n\r\n`]],
    ["a part without a name", [`--${B}\r\nContent-Disposition: form-data\r\n\r\n\r\n`, END]],
    [
      "a part that is no field",
      [`--${B}\r\nContent-Disposition: attachment; name="a"\r\n\r\n`, END],
    ],
    ["endless headers", [`--${B}\r\n`, `a: ${"b".repeat(20_000)}`]],
    ["too many parts", [many, END]],
  ])("with %s is refused", async (_, pieces: string[]) => {
    expect(await refusal(request(pieces))).toMatchObject({ status: 400, code: "invalid_form" });
  });

  test("with too much text is refused, whatever may be sent in files", async () => {
    const error = await refusal(request([field("a", "x".repeat(2_000_000)), END]), {
      limitBytes: 10_000_000,
    });
    expect(error).toMatchObject({ code: "invalid_form" });
  });

  test("without a length is counted, while it is read and while it is sent on", async () => {
    const text = field("model", "m") + field("a", "b");
    const pieces = [text, file("file", "a", "x".repeat(2000)), END];
    const limitBytes = 1000;
    expect(await refusal(request(pieces), { limitBytes })).toMatchObject({ status: 413 });
    const form = await readForm(request(pieces), { ...ALL, limitBytes, isEnough: hasModel });
    const failing = await sent(form).catch((error: unknown) => error);
    expect(failing).toMatchObject({ status: 413, code: "body_too_large" });
    await form.close();
  });

  test("that breaks off, or that is refused on the way, leaves nothing", async () => {
    const stream = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from(field("a", "b".repeat(5000)))),
      pull: (controller) => controller.error(new Error("gone")),
    });
    const headers = { "content-type": `multipart/form-data; boundary=${B}` };
    const broken = new Request("http://a/", { method: "POST", headers, body: stream });
    const options = { memoryBytes: 10 };
    expect(await refusal(broken, options)).toMatchObject({ code: "body_incomplete" });
    const no = new ApiError("invalid_request", "no");
    const isEnough = () => {
      throw no;
    };
    expect(await refusal(request([field("a", "b"), END]), { ...options, isEnough })).toBe(no);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("the parser", () => {
  test("reads what FormData writes, however it is cut", async () => {
    const binary = fc.uint8Array({ maxLength: 300 });
    const names = fc.stringMatching(/^[a-z[\]_]{1,12}$/);
    const entries = fc.array(fc.tuple(names, fc.oneof(fc.string(), binary)), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(entries, fc.array(fc.nat(60), { minLength: 1 }), async (given, cuts) => {
        const data = new FormData();
        for (const [name, value] of given) {
          if (typeof value === "string") data.append(name, value);
          else data.append(name, new Blob([new Uint8Array(value)]), "f.bin");
        }
        const written = new Response(data);
        const type = written.headers.get("content-type") ?? "";
        const bytes = Buffer.from(await written.arrayBuffer());
        const parser = new MultipartParser(type.slice(type.indexOf("=") + 1).replaceAll('"', ""));
        for (let at = 0, i = 0; at < bytes.length; i += 1) {
          const count = 1 + (cuts[i % cuts.length] ?? 0);
          parser.push(bytes.subarray(at, at + count));
          at += count;
        }
        if (given.length > 0) parser.end();
        const texts = await new Response(bytes, { headers: { "content-type": type } }).formData();
        const expected = [...texts].filter(([, value]) => typeof value === "string");
        expect(parser.fields.map(({ name, value }): [string, string] => [name, value])).toEqual(
          expected as [string, string][],
        );
        for (const { value, start, end } of parser.fields) {
          expect(bytes.toString("utf8", start, end)).toBe(value);
        }
        const files = given.filter(([, value]) => typeof value !== "string");
        expect(
          parser.files.map(({ field: name, bytes: size, head }) => [name, size, head]),
        ).toEqual(
          files.map(
            ([name, value]) => [name, value.length, Buffer.from(value.slice(0, 64))] as const,
          ),
        );
      }),
    );
  });

  test("takes no parameter out of another's quotes", () => {
    const parser = new MultipartParser(B);
    const disposition = 'form-data; filename="a; name=model"; name="file"';
    parser.push(Buffer.from(`--${B}\r\nContent-Disposition: ${disposition}\r\n\r\nx\r\n${END}`));
    expect(parser.files).toMatchObject([{ field: "file", filename: "a; name=model" }]);
    expect(parser.fields).toEqual([]);
  });

  test("knows parts without quotes, text before the first boundary and padding", () => {
    const parser = new MultipartParser(B);
    const head = "content-disposition:form-data;name=a";
    parser.push(Buffer.from(`before\r\n--${B} \t\r\n${head}\r\n\r\nv\r\n--${B}--after`));
    expect(parser.fields).toMatchObject([{ name: "a", value: "v" }]);
    expect(parser.ended).toBe(true);
    parser.end();
  });
});

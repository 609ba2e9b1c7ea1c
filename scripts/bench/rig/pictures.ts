import { deflateSync } from "node:zlib";
import type { HardBody } from "./bodies.ts";

const SIDE = 8192;
const COMMENTS = 800_000;

/** Requests with images that are small files and much work: vast ones, and files of many parts. */
export async function pictures(): Promise<HardBody[]> {
  const black = deflateSync(Buffer.alloc((SIDE / 8 + 1) * SIDE));
  const png = pngOf([chunk("IDAT", black)]);
  const webp = Buffer.from(await new Bun.Image(png).webp({ lossless: true }).bytes());
  const comments = Buffer.alloc(COMMENTS * 12, chunk("tEXt", Buffer.alloc(0)));
  const parts = pngOf([comments, chunk("IDAT", Buffer.alloc(1))]);
  return [
    { name: `a WebP image of ${SIDE}²`, ...chat("image/webp", webp, 1) },
    { name: `four WebP images of ${SIDE}²`, ...chat("image/webp", webp, 4) },
    { name: `five PNG images of ${SIDE}²`, ...chat("image/png", png, 5) },
    { name: `a PNG image of ${COMMENTS} parts`, ...chat("image/png", parts, 1) },
  ];
}

function chat(type: string, image: Buffer, count: number): Omit<HardBody, "name"> {
  const part = { type: "image_url", image_url: { url: `data:${type};base64,${image.toBase64()}` } };
  const messages = [{ role: "user", content: Array.from({ length: count }, () => part) }];
  return {
    path: "/v1/chat/completions",
    body: Buffer.from(JSON.stringify({ model: "m", messages })),
  };
}

/** A PNG file of one bit a pixel. */
function pngOf(chunks: Buffer[]): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(SIDE, 0);
  head.writeUInt32BE(SIDE, 4);
  head[8] = 1;
  const parts = [chunk("IHDR", head), ...chunks, chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(Bun.hash.crc32(body));
  return Buffer.concat([length, body, checksum]);
}

import { deflateSync } from "node:zlib";

/** A PNG chunk with its checksum. */
export function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(Bun.hash.crc32(body));
  return Buffer.concat([length, body, checksum]);
}

/** A valid PNG file of chunks between its header and its end; default: black pixels, packed. */
export function pngFile(width: number, height: number, chunks?: Buffer[]): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  // One bit for each pixel, of grey.
  head[8] = 1;
  const pixels = chunks ?? [
    pngChunk("IDAT", deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height))),
  ];
  const parts = [pngChunk("IHDR", head), ...pixels, pngChunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]);
}

/** A WebP file of black pixels: a small file, however many there are. */
export async function webpFile(width: number, height: number): Promise<Buffer> {
  const image = new Bun.Image(pngFile(width, height)).webp({ lossless: true });
  return Buffer.from(await image.bytes());
}

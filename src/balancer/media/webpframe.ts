import { PARTS_MAX } from "../../lib/image/extent.ts";

/** Where the first chunk begins: behind RIFF, size and WEBP. */
const CHUNKS_AT = 12;
const CHUNK_HEAD_BYTES = 8;
/** An animation frame's place, extent, duration and flags, before its own chunks. */
const FRAME_HEAD_BYTES = 16;
const ALPHA_FLAG = 0x10;

/**
 * The first frame of an animated WebP as a file of its own, which decoders of still images read;
 * other files as they are. Source: https://developers.google.com/speed/webp/docs/riff_container
 */
export function firstWebpFrame(bytes: Uint8Array): Uint8Array {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.toString("latin1", CHUNKS_AT, CHUNKS_AT + 4) !== "VP8X") return bytes;
  const frame = chunksOf(file, CHUNKS_AT).find(({ type }) => type === "ANMF");
  if (frame === undefined || frame.data.length < FRAME_HEAD_BYTES) return bytes;
  const parts = [...chunksOf(frame.data, FRAME_HEAD_BYTES)];
  const alpha = parts.find(({ type }) => type === "ALPH");
  const image = parts.find(({ type }) => type === "VP8 " || type === "VP8L");
  if (image === undefined) return bytes;
  if (alpha === undefined) return fileOf([image]);
  const data = Buffer.alloc(10);
  data[0] = ALPHA_FLAG;
  // The extent less one, in the same bytes as in the frame's head.
  frame.data.copy(data, 4, 6, 12);
  return fileOf([{ type: "VP8X", data }, alpha, image]);
}

interface Chunk {
  type: string;
  data: Buffer;
}

/** The chunks from an offset on, up to the first that is not complete. */
function* chunksOf(bytes: Buffer, from: number): Generator<Chunk> {
  let at = from;
  for (let part = 0; part < PARTS_MAX && at + CHUNK_HEAD_BYTES <= bytes.length; part += 1) {
    const size = bytes.readUInt32LE(at + 4);
    const start = at + CHUNK_HEAD_BYTES;
    if (start + size > bytes.length) break;
    const type = bytes.toString("latin1", at, at + 4);
    yield { type, data: bytes.subarray(start, start + size) };
    at = start + size + (size & 1);
  }
}

function fileOf(chunks: Chunk[]): Buffer {
  const parts = chunks.flatMap(({ type, data }) => {
    const head = Buffer.alloc(CHUNK_HEAD_BYTES);
    head.write(type, "latin1");
    head.writeUInt32LE(data.length, 4);
    return [head, data, Buffer.alloc(data.length & 1)];
  });
  const body = Buffer.concat([Buffer.from("WEBP"), ...parts]);
  const head = Buffer.alloc(CHUNK_HEAD_BYTES);
  head.write("RIFF", "latin1");
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

/** A file of the dashboard, as browsers ask for it, in every coding that it is kept in. */
export interface BundledFile {
  /** Below `/dashboard/`: `page.html`, `assets/main-1a2b3c.js`. */
  path: string;
  type: string;
  /** Of its bytes as they are. */
  etag: string;
  /** Its bytes as they are, and compressed where that makes them smaller. */
  bodies: Partial<Record<Coding, Uint8Array<ArrayBuffer>>> & {
    identity: Uint8Array<ArrayBuffer>;
  };
}

export type Coding = "identity" | "gzip" | "br";

/** Where a body lies behind the index, in bytes. */
type Place = [start: number, end: number];

interface IndexEntry {
  path: string;
  type: string;
  etag: string;
  places: Partial<Record<Coding, Place>>;
}

const LENGTH_BYTES = 4;

/** All files of the dashboard as one: the length of an index, the index as JSON, the bodies. */
export function packBundle(files: readonly BundledFile[]): Uint8Array<ArrayBuffer> {
  const bodies: Uint8Array[] = [];
  let end = 0;
  const index = files.map(({ path, type, etag, bodies: own }): IndexEntry => {
    const places: IndexEntry["places"] = {};
    for (const [coding, body] of Object.entries(own)) {
      bodies.push(body);
      places[coding as Coding] = [end, end + body.length];
      end += body.length;
    }
    return { path, type, etag, places };
  });
  const head = Buffer.from(JSON.stringify(index));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(head.length);
  return new Uint8Array(Buffer.concat([length, head, ...bodies]));
}

/** The files of such a bundle by their paths; their bodies are parts of its memory. */
export function unpackBundle(bundle: Uint8Array<ArrayBuffer>): Map<string, BundledFile> {
  const headBytes = Buffer.from(bundle.buffer, bundle.byteOffset).readUInt32LE(0);
  const start = LENGTH_BYTES + headBytes;
  const head = Buffer.from(bundle.subarray(LENGTH_BYTES, start)).toString();
  const index = JSON.parse(head) as IndexEntry[];
  const bodyAt = ([from, to]: Place) => bundle.subarray(start + from, start + to);
  return new Map(
    index.map(({ path, type, etag, places: { identity = [0, 0], gzip, br } }) => {
      const bodies = {
        identity: bodyAt(identity),
        ...(gzip && { gzip: bodyAt(gzip) }),
        ...(br && { br: bodyAt(br) }),
      };
      return [path, { path, type, etag, bodies }];
    }),
  );
}

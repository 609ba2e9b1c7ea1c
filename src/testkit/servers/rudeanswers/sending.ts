import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";

/** An answer on its way: the text of a stream of events, or JSON. */
export interface Sending {
  text: string;
  streams: boolean;
}

/** How an answer is sent. */
export type Send = (sending: Sending) => Response;

const EVENTS = "text/event-stream";
const JSON_TYPE = "application/json";

/** As it should be. */
export const politely: Send = ({ text, streams }) => typed(text, streams ? EVENTS : JSON_TYPE);

/** Ways to send an answer, wrong or unusual; all of it arrives. */
export const SENDINGS: Readonly<Record<string, Send>> = {
  "named text/plain": ({ text }) => typed(text, "text/plain; charset=utf-8"),
  "named application/octet-stream": ({ text }) => typed(text, "application/octet-stream"),
  "named text/html": ({ text }) => typed(text, "text/html"),
  "not named at all": ({ text }) => new Response(bytesOf(text)),
  "not named at all, in pieces": ({ text }) => new Response(piecesOf(text)),
  "named in capitals": ({ text, streams }) =>
    typed(text, streams ? "Text/Event-Stream;Charset=UTF-8" : "Application/JSON;Charset=UTF-8"),
  "an event stream named JSON, or the other way round": ({ text, streams }) =>
    typed(text, streams ? JSON_TYPE : EVENTS),
  "in pieces, named JSON if it is a stream, or the other way round": ({ text, streams }) =>
    typed(piecesOf(text), streams ? JSON_TYPE : EVENTS),
  "byte by byte": ({ text, streams }) => typed(piecesOf(text, 1), streams ? EVENTS : JSON_TYPE),
  "with lines that end in CR LF": ({ text, streams }) =>
    politely({ text: text.replaceAll("\n", "\r\n"), streams }),
  "behind white space or a byte order mark": ({ text, streams }) =>
    politely({ text: `\uFEFF${streams ? "" : "\n\n  "}${text}`, streams }),
  "without a space behind `data:`": ({ text, streams }) =>
    politely({ text: streams ? text.replaceAll("data: ", "data:") : text, streams }),
  "with comments and other fields": ({ text, streams }) => {
    const more = ": PROCESSING\n\n";
    const told = text.replaceAll(
      "data: ",
      `: a comment\nid: 7\nretry: 100\nevent: message\ndata: `,
    );
    return politely({ text: streams ? `${more}${more}${told}` : text, streams });
  },
  gzip: coded("gzip", gzipSync),
  "x-gzip": coded("X-GZip", gzipSync),
  br: coded("br", brotliCompressSync),
  zstd: coded("zstd", zstdCompressSync),
  deflate: coded("deflate", deflateSync),
  "deflate without its wrapper": coded("deflate", deflateRawSync),
  "gzip of gzip, in pieces": ({ text, streams }) => {
    const twice = gzipSync(gzipSync(text));
    return new Response(piecesOf(twice, 50), {
      headers: { "content-type": streams ? EVENTS : JSON_TYPE, "content-encoding": "gzip, gzip" },
    });
  },
};

function typed(body: BodyInit, type: string): Response {
  return new Response(body, { headers: { "content-type": type } });
}

function coded(coding: string, encode: (bytes: Uint8Array) => Uint8Array): Send {
  return ({ text, streams }) => {
    const headers = {
      "content-type": streams ? EVENTS : JSON_TYPE,
      "content-encoding": coding,
    };
    return new Response(encode(bytesOf(text)) as Uint8Array<ArrayBuffer>, { headers });
  };
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** A body in pieces, of which the length is not known before. */
function piecesOf(body: string | Uint8Array, sizeBytes = 100): ReadableStream<Uint8Array> {
  const bytes = typeof body === "string" ? bytesOf(body) : body;
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at >= bytes.byteLength) return controller.close();
      controller.enqueue(bytes.slice(at, at + sizeBytes));
      at += sizeBytes;
      // So that it is sent by itself.
      await new Promise((resolve) => setImmediate(resolve));
    },
  });
}

/** Why bytes were not read as a JSON object. */
export type JsonFaultKind = "encoding" | "syntax" | "no_object" | "depth" | "items" | "token";

/** Bytes are not what they should be: not UTF-8, not JSON, no object, or beyond a limit. */
export class JsonFault extends Error {
  readonly kind: JsonFaultKind;

  constructor(kind: JsonFaultKind, cause?: unknown) {
    super(`Reading JSON failed: ${kind}.`, { cause });
    this.kind = kind;
  }
}

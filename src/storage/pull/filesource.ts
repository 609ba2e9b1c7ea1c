/** A place that a file can be fetched from. */
export interface FileSource {
  url: string;
  /** Sent as `Authorization: Bearer` to this source's own origin, never to where it redirects. */
  token: string | undefined;
  /** Whether it is another node, which has the whole file; else it is the hub. */
  peer: boolean;
}

/** A place that a file can be fetched from. */
export interface FileSource {
  url: string;
  /** Sent as `Authorization: Bearer` to this source's own origin, never to where it redirects. */
  token: string | undefined;
  /** Of the only certificate that is accepted, as `sha256:…`. Default: any valid one. */
  fingerprint?: string | undefined;
  /** Whether it is another node, which has the whole file; else it is the hub. */
  peer: boolean;
}

/** Put in by the build (`--release-keys`): public keys, parted by commas. */
declare const LLMLB_RELEASE_KEYS: string | undefined;

/**
 * The public keys, 32 bytes of Ed25519 as base64 each, one of which has to have signed a release
 * before this program goes on as that; none where it was built without, or runs from source.
 */
export function releaseKeys(): string[] {
  if (typeof LLMLB_RELEASE_KEYS === "undefined") return [];
  return LLMLB_RELEASE_KEYS.split(",").filter((key) => key !== "");
}

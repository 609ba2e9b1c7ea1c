import pkg from "../../package.json" with { type: "json" };

/** Put in by the build (`--release-keys`): public keys, parted by commas. */
declare const LLMLB_RELEASE_KEYS: string | undefined;

/** Put in by the build: which of a release's executables this one is. */
declare const LLMLB_VARIANT: string | undefined;

/**
 * The public keys, 32 bytes of Ed25519 as base64 each, one of which has to have signed a release
 * before this program goes on as that; none where it was built without, or runs from source.
 */
export function releaseKeys(): string[] {
  if (typeof LLMLB_RELEASE_KEYS === "undefined") return [];
  return LLMLB_RELEASE_KEYS.split(",").filter((key) => key !== "");
}

/**
 * Where releases tell of the newest one, for a program that believes them; null for one that was
 * built without a key.
 */
export function releaseFeed(): string | null {
  return releaseKeys().length === 0 ? null : `${pkg.repository}/releases/latest/download/feed.json`;
}

/**
 * Which of a release's executables this one is, as feeds name them: `linux-x64-cuda` for one that
 * has CUDA's backend inside. From source, the one for this machine.
 */
export function releaseVariant(): string {
  if (typeof LLMLB_VARIANT !== "undefined") return LLMLB_VARIANT;
  return platformName(process.platform, process.arch);
}

/** The name of a platform in feeds. */
export function platformName(platform: string, arch: string): string {
  return `${platform === "win32" ? "windows" : platform}-${arch}`;
}

import { modelsFolder } from "../../config/fields/hub.ts";
import type { Settings } from "../../config/settings.ts";
import type { Logger } from "../../lib/log.ts";
import { ownOrigins } from "../../storage/pull/allowlist.ts";
import { Puller } from "../../storage/pull/puller.ts";

/** The puller of a node, as its settings say. */
export function createPuller(settings: Settings, log: Logger): Puller {
  const { hubUrl, hubToken, originAllowlist, maxDownloadRateBytes } = settings;
  return new Puller({
    root: modelsFolder(settings),
    hubUrl,
    token: hubToken ?? undefined,
    origins: [...originAllowlist, ...ownOrigins(hubUrl)],
    maxBytesPerSecond: maxDownloadRateBytes,
    onTrouble: (model, what, err) => log.warn({ model, what, err }, "pull.trouble"),
  });
}

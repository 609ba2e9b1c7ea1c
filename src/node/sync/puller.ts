import { environment } from "../../config/environment.ts";
import { modelsFolder } from "../../config/fields/hub.ts";
import { sourceFolders } from "../../config/modelsources.ts";
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
    sources: sourceFolders(settings.modelSources, environment()),
    onTrouble: (model, what, err) => log.warn({ model, what, err }, "pull.trouble"),
  });
}

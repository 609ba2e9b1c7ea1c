import { environment } from "../../../config/environment.ts";
import { errorMessage } from "../../../lib/errormessage.ts";
import type { PidFileHandle } from "../../process/pidfile.ts";
import { onUpgradeSignal } from "../../process/signals.ts";
import type { Successor } from "./successor.ts";
import { type UpgradeParts, upgrade, upgradeProblem } from "./upgrade.ts";

export interface UpgradeWatchParts extends UpgradeParts {
  pidFile: PidFileHandle;
}

/**
 * Upgrades at SIGUSR2. Resolves when another process has taken this one's place; why one has not is
 * logged and in the pid file, and the next signal tries again.
 */
export function upgradeAtSignal({ pidFile, ...parts }: UpgradeWatchParts): Promise<Successor> {
  const { promise, resolve } = Promise.withResolvers<Successor>();
  let isUpgrading = false;
  onUpgradeSignal(async () => {
    if (isUpgrading) return;
    isUpgrading = true;
    const { platform, pid } = process;
    const problem = upgradeProblem({ platform, pid, env: environment() });
    try {
      if (problem !== undefined) throw new Error(`This llmlb cannot be upgraded: ${problem}`);
      resolve(await upgrade(parts));
    } catch (cause) {
      const reason = errorMessage(cause);
      parts.log.error({ reason, advice: "The one before it still serves." }, "upgrade.failed");
      pidFile.update({
        upgrade_failed: {
          at: new Date().toISOString(),
          reason,
          ...(problem && { is_refused: true }),
        },
      });
      isUpgrading = false;
    }
  });
  return promise;
}

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { environment } from "../../config/environment.ts";
import { userFolder } from "../../config/values/path.ts";
import { dataFolderIn } from "./plan.ts";

/** Where `llmlb service install` writes definitions on Linux and macOS. */
function definitionFolders(): string[] {
  if (process.platform === "win32") return [];
  const own = userFolder();
  if (process.platform === "darwin") {
    return ["/Library/LaunchDaemons", join(own, "Library/LaunchAgents")];
  }
  const config = environment().XDG_CONFIG_HOME || join(own, ".config");
  return ["/etc/systemd/system", join(config, "systemd/user")];
}

/** The data folders of the services of this machine and of this user. */
export function serviceHomes(folders: readonly string[] = definitionFolders()): string[] {
  return folders.flatMap((folder) =>
    namesIn(folder)
      .filter((name) => /^llmlb[\w-]*\.(service|plist)$/.test(name))
      .map((name) => dataFolderIn(readFileSync(join(folder, name), "utf8")))
      .filter((home) => home !== undefined),
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // There are no services of this kind here.
  }
}

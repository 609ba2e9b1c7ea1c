import type { FirstAdmin } from "../../auth/firststart.ts";
import { environment } from "../../config/environment.ts";
import { logFileOf } from "../../config/fields/storage.ts";
import type { Settings } from "../../config/settings.ts";
import { VERSION } from "../../config/version.ts";
import { TINY_MODEL_ID } from "../../node/models/tiny.ts";
import { ROUTES } from "../../wire/route.ts";
import type { Colors } from "../terminal/color.ts";
import { table } from "../terminal/table.ts";

interface BannerOptions {
  settings: Settings;
  /** Where clients reach this process. */
  url: string;
  /** Its certificate has to be named to clients. */
  isSelfSigned: boolean;
  /** Nothing has ever run from its data folder. */
  isFirstRun: boolean;
  paint: Colors;
}

/** Where a browser sees what runs at a URL; a node alone has no such page. */
export function dashboardOf(url: string, { mode }: Pick<Settings, "mode">): string | undefined {
  return mode === "node" ? undefined : `${url}/dashboard`;
}

/** What a serving llmlb prints on a terminal at start: its URL, models and log, and an example. */
export function banner(options: BannerOptions): string {
  const { settings, url, isSelfSigned, isFirstRun, paint } = options;
  const { mode, endpoints } = settings;
  const rows = [["API", paint.bold(`${url}/v1`)]];
  const dashboard = dashboardOf(url, settings);
  if (dashboard !== undefined) rows.push(["Dashboard", dashboard]);
  const models = ownModels(settings);
  if (models.length > 0) rows.push(["Models", models.join(", ")]);
  if (endpoints.length > 0 && mode !== "node") {
    rows.push(["Endpoints", endpoints.map(({ name }) => name).join(", ")]);
  }
  const log = logFileOf(settings);
  if (log !== undefined) rows.push(["Log", shortPath(log)]);
  const lines = [
    "",
    `${paint.bold(`llmlb ${VERSION}`)} ${paint.dim(`(${mode})`)}`,
    "",
    ...table(
      rows.map(([name = "", value = ""]) => [paint.dim(name), value]),
      "  ",
    ),
    "",
    ...(isFirstRun && dashboard ? [`  For the first time here: open ${dashboard}`, ""] : []),
    ...suggestion(settings, url, isSelfSigned).map((line) => `  ${line}`),
    "",
    paint.dim("  Ctrl-C stops."),
    "",
  ];
  return `${lines.join("\n")}\n`;
}

/** What the first start with access control made. It is shown on no other occasion, nor logged. */
export function firstAdminNotice({ username, password, key }: FirstAdmin): string {
  const rows = [
    ["Admin", username],
    ["Password", password ?? "as set by LLMLB_ADMIN_PASSWORD"],
    ...(key === undefined ? [] : [["API key", key]]),
  ];
  const lines = [
    "",
    "Requests need a key from now on. Made for the first start, and not shown again:",
    "",
    ...table(rows, "  "),
    "",
    "  Clients send the key as Authorization: Bearer. Another one: llmlb key add NAME",
    "",
  ];
  return `${lines.join("\n")}\n`;
}

/** The models of the node that runs here or beside; the built-in one if none was named. */
function ownModels({ mode, models }: Settings): string[] {
  if (mode === "balancer") return [];
  return models.length === 0 ? [`${TINY_MODEL_ID} (built in)`] : models.map(({ id }) => id);
}

function suggestion(settings: Settings, url: string, isSelfSigned: boolean): string[] {
  const { mode, models, endpoints, tlsCert } = settings;
  if (mode === "balancer") {
    const none = "There is no endpoint yet: name one with --endpoint http://host:port";
    return [endpoints.length === 0 ? none : `Try   llmlb chat --url ${url}`];
  }
  const model = models[0]?.id ?? TINY_MODEL_ID;
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] });
  const lines = [
    "Try   llmlb chat",
    `or    curl ${isSelfSigned ? `--cacert ${tlsCert} ` : ""}${url}${ROUTES.chat.path} \\`,
    "        -H 'content-type: application/json' \\",
    `        -d '${body}'`,
  ];
  const own = "A model of your own: llmlb --model file.gguf";
  return models.length === 0 ? [...lines, "", own] : lines;
}

function shortPath(path: string): string {
  const home = environment().HOME ?? "";
  return home !== "" && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

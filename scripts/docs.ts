// Makes docs/configuration.md of the settings: npm run docs
import { join } from "node:path";
import { envName, type Field, flagName } from "../src/config/fields/field.ts";
import { FIELD_KEYS, fieldOf } from "../src/config/fields.ts";
import { formatQuantity } from "../src/config/units.ts";
import { choicesOf } from "../src/config/values/schema.ts";

/** Where the page is. */
export const CONFIGURATION_PAGE = join(import.meta.dir, "../docs/configuration.md");

const HEAD = `# Configuration

Every setting is a flag, an environment variable and a key of \`config.json\`; the first of these
wins.

\`\`\`sh
llmlb --log-level debug              # a flag
LLMLB_LOG_LEVEL=debug llmlb          # a variable
\`\`\`

<!-- file: ~/.llmlb/config.json -->

\`\`\`jsonc
{
  "log_level": "debug", // comments and trailing commas are fine
  "endpoints": ["http://gpu1:8080", { "name": "big", "url": "http://gpu2:8000" }],
}
\`\`\`

\`\`\`sh
llmlb config                         # what is in effect, and where each comes from
\`\`\`

\`\`\`text
…
log_level  debug  config.json
…
\`\`\`

\`\`\`sh
llmlb config schema > schema.json    # for editors: "$schema": "./schema.json" in config.json
\`\`\`

- The file is \`~/.llmlb/config.json\`; \`--home\` names another data folder.
- Times are \`500ms\`, \`30s\`, \`10m\`, sizes \`512KiB\`, \`64MiB\`. Lists have commas in
  variables, or are JSON; flags that may be repeated say so.
- A mistyped key, variable or flag is told with the nearest right one.
- Settings marked ↻ take effect when the file has changed and llmlb gets \`SIGHUP\`
  (\`systemctl reload llmlb\`); all others with \`llmlb restart\`, which cuts no request.
- Secrets are better given as variables, or in the file: all users of a machine see flags.

How a model runs (context, GPU layers, sampling) is in [models](models.md#settings-of-a-model).

`;

/** The page, as it is to be. */
export function configurationPage(): string {
  const groups = Map.groupBy(FIELD_KEYS.map(fieldOf), (field) => field.group);
  const parts = [...groups].map(([group, fields]) => {
    const rows = fields.map((field) => `| ${cellsOf(field).join(" | ")} |`);
    const title = ["| flag | variable and key | default | what it is |", "|---|---|---|---|"];
    return [`## ${group}`, "", ...title, ...rows, ""].join("\n");
  });
  const note =
    "<!-- Made by npm run docs of the settings in src/config/fields: change them there. -->";
  return `${note}\n\n${HEAD}${parts.join("\n")}`;
}

function cellsOf(field: Field): string[] {
  const { name, help, aliases = [], deprecated = [] } = field;
  const flag = field.flags === undefined ? "-- …" : flagName(field);
  const also = aliases.filter((one) => !deprecated.includes(one)).map((one) => `\`${one}\``);
  const variables = [`\`${envName(field)}\``, ...also].join(", ");
  const key = field.notInFile === true ? "no key" : `\`${name}\``;
  const notes = [
    ...choicesNote(field),
    ...(field.repeatable === true && !help.includes("repeated") ? ["may be repeated"] : []),
  ];
  const text = [help, ...notes].join("; ");
  const reload = field.reload === true ? "↻ " : "";
  return [`\`${flag}\``, `${variables}<br>${key}`, defaultOf(field), `${reload}${text}`].map(
    (cell) => cell.replaceAll("|", "\\|").replaceAll("<home>", "`~/.llmlb`"),
  );
}

/** The words that a setting takes, where its help does not say them. */
function choicesNote({ help, schema }: Field): string[] {
  const words = choicesOf(schema("/"));
  return words.every((word) => help.includes(word)) ? [] : [`one of ${words.join(", ")}`];
}

function defaultOf({ name, fallback, fallbackText, unit }: Field): string {
  if (name === "home") return "~/.llmlb";
  if (fallbackText !== undefined) return fallbackText;
  const value = fallback("standalone");
  if (value === false) return "off";
  if (value === true) return "on";
  return formatQuantity(value, unit);
}

if (import.meta.main) await Bun.write(CONFIGURATION_PAGE, configurationPage());

import { closestWord } from "../../lib/closestword.ts";
import { parseKeepAlive } from "../../wire/keepalive.ts";
import { isRunSetting, type RunSettings, readRunSettings } from "../../wire/runsettings.ts";
import { settingValue } from "../options/runsettings.ts";
import { CliError, EXIT } from "../process/exit.ts";

interface Parameter {
  /** The field of requests that it becomes. */
  field: string;
  kind: "number" | "texts";
}

/** The parameters of requests by their names, also Ollama's. */
const PARAMETERS = new Map<string, Parameter>([
  ...[
    ...["temperature", "top_p", "top_k", "min_p", "typical_p", "seed", "max_tokens"],
    ...["repeat_penalty", "repeat_last_n", "presence_penalty", "frequency_penalty"],
    ...["mirostat", "mirostat_tau", "mirostat_eta"],
  ].map((name): [string, Parameter] => [name, { field: name, kind: "number" }]),
  ["temp", { field: "temperature", kind: "number" }],
  ["num_predict", { field: "max_tokens", kind: "number" }],
  ["stop", { field: "stop", kind: "texts" }],
]);

/** What a parameter changes: the requests to come, or how the model is loaded for all. */
export interface ParameterChange {
  fields: Record<string, unknown>;
  settings: RunSettings;
}

/** The names of all parameters, for help. */
export const PARAMETER_NAMES = [...PARAMETERS.keys()].sort().join(", ");

/**
 * What a parameter changes. Throws `CliError`, which says what is meant, for one that there is not
 * or a value that it cannot have.
 */
export function parameterChange(name: string, value: string): ParameterChange {
  const parameter = PARAMETERS.get(name);
  if (parameter !== undefined) return { fields: fieldOf(name, value, parameter), settings: {} };
  if (!isRunSetting(name)) throw unknown(name);
  const settings = readRunSettings({ [name]: settingValue(name, value) });
  if (typeof settings === "string") throw new CliError(settings, EXIT.usage);
  return { fields: {}, settings };
}

/** What settings of a model change, of which requests can say some themselves. */
export function settingsChange(settings: RunSettings): ParameterChange {
  const parts = Object.entries(settings).map(([name, value]) => {
    const isOfRequest = PARAMETERS.has(name);
    if (isOfRequest) return parameterChange(name, String(value));
    return { fields: {}, settings: { [name]: value } };
  });
  return inOne(parts);
}

/** Several changes as one; the later ones win. */
export function inOne(changes: readonly ParameterChange[]): ParameterChange {
  return {
    fields: Object.assign({}, ...changes.map(({ fields }) => fields)),
    settings: Object.assign({}, ...changes.map(({ settings }) => settings)),
  };
}

function fieldOf(name: string, value: string, { field, kind }: Parameter): Record<string, unknown> {
  if (kind === "texts") return { [field]: value.split(",") };
  const number = Number(value);
  if (value.trim() === "" || !Number.isFinite(number)) {
    throw new CliError(`${name} must be a number, not ${JSON.stringify(value)}.`, EXIT.usage);
  }
  return { [field]: number };
}

/** What `name=value` texts change. Throws `CliError`. */
export function parameterChanges(texts: readonly string[]): ParameterChange {
  const changes = texts.map((text) => {
    const at = text.indexOf("=");
    if (at > 0) return parameterChange(text.slice(0, at), text.slice(at + 1));
    throw new CliError(`--set ${text}: name=value is expected, as in temperature=0.2.`, EXIT.usage);
  });
  return inOne(changes);
}

/** The field for `--format`: `json`, or a JSON schema. Throws `CliError`. */
export function formatField(text: string): Record<string, unknown> {
  if (text === "json") return { response_format: { type: "json_object" } };
  try {
    const schema: unknown = JSON.parse(text);
    if (typeof schema === "object" && schema !== null) {
      const json_schema = { name: "answer", schema };
      return { response_format: { type: "json_schema", json_schema } };
    }
  } catch {
    // The error below says what is meant.
  }
  throw new CliError("--format must be json or a JSON schema.", EXIT.usage);
}

/** The field for `--keepalive`. Throws `CliError`. */
export function keepAliveField(text: string): Record<string, unknown> {
  if (parseKeepAlive(text) !== undefined) return { keep_alive: text };
  throw new CliError("--keepalive must be a time such as 5m, 0 or -1.", EXIT.usage);
}

function unknown(name: string): CliError {
  const close = closestWord(name, PARAMETERS.keys());
  const meant = close === undefined ? `there are: ${PARAMETER_NAMES}` : `did you mean ${close}?`;
  return new CliError(`There is no parameter ${name}: ${meant}`, EXIT.usage);
}

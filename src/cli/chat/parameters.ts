import { closestWord } from "../../lib/closestword.ts";
import { parseKeepAlive } from "../../wire/keepalive.ts";
import { CliError, EXIT } from "../process/exit.ts";

/** A parameter of requests by its names, also Ollama's: the field that it becomes, and its kind. */
const PARAMETERS = new Map<string, { field: string; kind: "number" | "texts" }>([
  ...[
    ...["temperature", "top_p", "top_k", "min_p", "typical_p", "seed", "max_tokens"],
    ...["repeat_penalty", "repeat_last_n", "presence_penalty", "frequency_penalty"],
    ...["mirostat", "mirostat_tau", "mirostat_eta"],
  ].map((name): [string, { field: string; kind: "number" }] => [
    name,
    { field: name, kind: "number" },
  ]),
  ["num_predict", { field: "max_tokens", kind: "number" }],
  ["stop", { field: "stop", kind: "texts" }],
]);

/** Those of loads: they belong to the model, whoever asks it. */
const OF_LOADS = ["num_ctx", "num_gpu", "num_thread", "num_batch", "ctx_size", "context", "lora"];

/** The names of all parameters, for help. */
export const PARAMETER_NAMES = [...PARAMETERS.keys()].sort().join(", ");

/**
 * The field of a request for a parameter. Throws `CliError`, which says what is meant, for one that
 * there is not or a value that it cannot have.
 */
export function parameterField(name: string, value: string): Record<string, unknown> {
  const parameter = PARAMETERS.get(name);
  if (parameter === undefined) throw unknown(name);
  const { field, kind } = parameter;
  if (kind === "texts") return { [field]: value.split(",") };
  const number = Number(value);
  if (value.trim() === "" || !Number.isFinite(number)) {
    throw new CliError(`${name} must be a number, not ${JSON.stringify(value)}.`, EXIT.usage);
  }
  return { [field]: number };
}

/** The fields of a request for `name=value` texts. Throws `CliError`. */
export function parameterFields(texts: readonly string[]): Record<string, unknown> {
  const fields = texts.map((text) => {
    const at = text.indexOf("=");
    if (at > 0) return parameterField(text.slice(0, at), text.slice(at + 1));
    throw new CliError(`--set ${text}: name=value is expected, as in temperature=0.2.`, EXIT.usage);
  });
  return Object.assign({}, ...fields);
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
  if (OF_LOADS.includes(name)) {
    const message = `${name} is a setting of the model, for all who use it: llmlb model set, \
"models" in config.json, or --${name.replaceAll("_", "-")} where llmlb is started.`;
    return new CliError(message, EXIT.usage);
  }
  const close = closestWord(name, PARAMETERS.keys());
  const meant = close === undefined ? `there are: ${PARAMETER_NAMES}` : `did you mean ${close}?`;
  return new CliError(`There is no parameter ${name}: ${meant}`, EXIT.usage);
}

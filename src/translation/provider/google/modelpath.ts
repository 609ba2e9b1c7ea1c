import { unsupportedByGoogle } from "./errors.ts";

const NAME = /^[A-Za-z0-9][\w.@-]*$/;

/**
 * The path of a model: `models/gemini-2.5-flash`, also for `gemini-2.5-flash`. Throws
 * `invalid_request` for a name that would lead to another path.
 */
export function googleModelPath(model: string): string {
  const [folder, name, ...more] = model.includes("/") ? model.split("/") : ["models", model];
  if (more.length === 0 && NAME.test(folder ?? "") && NAME.test(name ?? "")) {
    return `${folder}/${name}`;
  }
  throw unsupportedByGoogle("model", `"${model.slice(0, 100)}" is no name of a model`);
}

import { unsupportedByGoogle } from "./contentparts.ts";

const NAME = /^[A-Za-z0-9][\w.@-]*$/;

/** `models/gemini-2.5-flash`, also of `gemini-2.5-flash`. Throws for what would be another path. */
export function googleModelPath(model: string): string {
  const [folder, name, ...more] = model.includes("/") ? model.split("/") : ["models", model];
  if (more.length === 0 && NAME.test(folder ?? "") && NAME.test(name ?? "")) {
    return `${folder}/${name}`;
  }
  throw unsupportedByGoogle("model", `"${model.slice(0, 100)}" is no name of a model`);
}

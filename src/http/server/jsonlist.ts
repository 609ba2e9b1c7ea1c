import { mapInTurns } from "../../lib/eventloop.ts";
import type { AppContext } from "./scope.ts";

export interface JsonListOptions<T> {
  /** The fields besides the list. Default: none. */
  fields?: object;
  /** The field with the list. */
  name: string;
  items: Iterable<T>;
  /** An item as it is shown; undefined leaves it out. */
  view(item: T): object | undefined;
}

/** Answers 200 with a JSON object that has a list, which may be long: others have their turns. */
export async function sendList<T>(c: AppContext, options: JsonListOptions<T>): Promise<Response> {
  const { fields = {}, name, items, view } = options;
  const texts = await mapInTurns(items, (item) => {
    const shown = view(item);
    return shown === undefined ? [] : JSON.stringify(shown);
  });
  const head = Object.entries(fields).map(
    ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value ?? null)},`,
  );
  const list = `${JSON.stringify(name)}:[${texts.flat().join(",")}]`;
  return c.body(`{${head.join("")}${list}}`, 200, { "content-type": "application/json" });
}

import { useTexts } from "../../text/i18n.ts";
import { schemaFault } from "./schema.ts";
import { playgroundTexts } from "./texts.ts";

/** Says what is wrong with a text that should be a JSON Schema; undefined: nothing. */
export function useSchemaFault(text: string): string | undefined {
  const t = useTexts(playgroundTexts);
  const fault = schemaFault(text);
  if (fault === undefined) return undefined;
  return t(`schema_${fault.kind}`, { ...fault });
}

import { createContext, useContext } from "react";
import type { Inks } from "./inks.ts";

/** How each model is drawn, on the whole map. */
export const InkContext = createContext<Inks>(new Map());

/** Classes that draw in a model's colour and pattern. */
export function inkClass(inks: Inks, model: string): string {
  const ink = inks.get(model);
  return ink === undefined ? "ink ink-rest" : `ink ink-${ink.color} pattern-${ink.pattern}`;
}

/** A piece of a model's colour and pattern, beside its name. */
export function Swatch({ model, state }: { model: string; state: string }) {
  const inks = useContext(InkContext);
  return <span className={`swatch is-${state} ${inkClass(inks, model)}`} />;
}

import { useSyncExternalStore } from "react";
import { keep, kept } from "./storage.ts";

/** `system`: what the operating system says. */
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEPT_AS = "theme";

let theme: Theme = themeOf(kept(KEPT_AS));
const listeners = new Set<() => void>();

/** The theme, and how to change it; `theme.ts` beside the page applies it at the next load. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  return [useSyncExternalStore(subscribe, () => theme), change];
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function change(next: Theme): void {
  theme = next;
  keep(KEPT_AS, next === "system" ? undefined : next);
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  for (const listener of listeners) listener();
}

function themeOf(text: string | undefined): Theme {
  return THEMES.find((one) => one === text) ?? "system";
}

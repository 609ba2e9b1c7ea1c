import { useState } from "react";
import { keep, kept } from "./storage.ts";

/** `system`: what the operating system says. */
export type Theme = "system" | "light" | "dark";

const KEPT_AS = "theme";

/** The theme, and how to change it; `theme.ts` beside the page applies it at the next load. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(() => themeOf(kept(KEPT_AS)));
  const change = (next: Theme) => {
    keep(KEPT_AS, next === "system" ? undefined : next);
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    setTheme(next);
  };
  return [theme, change];
}

function themeOf(text: string | undefined): Theme {
  return text === "light" || text === "dark" ? text : "system";
}

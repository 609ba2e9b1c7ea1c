import { useNavigate, useSearch } from "@tanstack/react-router";

/** What the address says of a screen's state: a text for each name. */
export type UrlState = Readonly<Record<string, string>>;

/** The name whose text says which window is open over the screen. */
const WINDOW = "open";

/**
 * State that lives in the address, so that a reload, a bookmark and the back button keep it. What
 * equals its default is not written. Opening a window (`open`) is a step of its own, so that the
 * back button closes it instead of leaving the screen.
 */
export function useUrlState<S extends UrlState>(defaults: S): [S, (changes: Partial<S>) => void] {
  const search = useSearch({ strict: false }) as Record<string, unknown>;
  const navigate = useNavigate();
  const state = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => {
      const given = search[name];
      return [name, given === undefined ? value : String(given)];
    }),
  ) as S;
  const change = (changes: Partial<S>) => {
    const next = Object.entries({ ...state, ...changes });
    const kept = next.filter(([name, value]) => value !== defaults[name]);
    const opens = !state[WINDOW] && Boolean(changes[WINDOW]);
    void navigate({ to: ".", search: Object.fromEntries(kept) as never, replace: !opens });
  };
  return [state, change];
}

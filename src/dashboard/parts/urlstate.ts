import { useNavigate, useSearch } from "@tanstack/react-router";

/** What the address says of a screen's state: a text for each name. */
export type UrlState = Readonly<Record<string, string>>;

/**
 * State that lives in the address, so that a reload, a bookmark and the back button keep it. What
 * equals its default is not written.
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
    void navigate({ to: ".", search: Object.fromEntries(kept) as never, replace: true });
  };
  return [state, change];
}

import i18next, { type TOptions } from "i18next";
import { initReactI18next, useTranslation } from "react-i18next";
import { keep, kept } from "../app/storage.ts";

/** The languages that everything is written in. */
export const LANGUAGES = { en: "English", ja: "日本語" } as const;
export type Language = keyof typeof LANGUAGES;

/** The texts of one screen or part, in every language. */
export interface Texts<K extends string> {
  /** Tells it apart from others. */
  name: string;
  en: Record<K, string>;
  ja: Record<K, string>;
}

/** Texts by their keys; plural forms have one key, without its ending. */
export type Translate<K extends string> = (key: Singular<K>, values?: TOptions) => string;
type Singular<K extends string> = K extends `${infer Base}_${"zero" | "one" | "other"}` ? Base : K;

const KEPT_AS = "language";

/** Makes texts usable. Both languages have the same keys. */
export function defineTexts<K extends string>(
  name: string,
  en: Record<K, string>,
  ja: Record<NoInfer<K>, string>,
): Texts<K> {
  i18next.addResourceBundle("en", name, en);
  i18next.addResourceBundle("ja", name, ja);
  return { name, en, ja };
}

/** The texts in the reader's language. */
export function useTexts<K extends string>({ name }: Texts<K>): Translate<K> {
  const { t } = useTranslation(name);
  return t as unknown as Translate<K>;
}

/** The reader's language, and how to change it. */
export function useLanguage(): [Language, (language: Language) => void] {
  const { i18n } = useTranslation();
  const change = (language: Language) => {
    keep(KEPT_AS, language);
    document.documentElement.lang = language;
    void i18n.changeLanguage(language);
  };
  return [i18n.language === "ja" ? "ja" : "en", change];
}

const chosen = kept(KEPT_AS) ?? navigator.language;
const initial: Language = chosen.startsWith("ja") ? "ja" : "en";
document.documentElement.lang = initial;

void i18next.use(initReactI18next).init({
  lng: initial,
  fallbackLng: "en",
  initAsync: false,
  resources: {},
  // React writes texts as texts.
  interpolation: { escapeValue: false },
  react: { useSuspense: false },
});

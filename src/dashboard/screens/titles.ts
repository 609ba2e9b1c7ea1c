import { defineTexts, useTexts } from "../text/i18n.ts";

/** What the screens are called, by their names. Their other texts come with their code. */
const titleTexts = defineTexts(
  "titles",
  {
    audit: "Audit log",
    endpoints: "Endpoints",
    fleet: "Fleet",
    invitations: "Invitations",
    keys: "API keys",
    logs: "Logs",
    models: "Models",
    overview: "Overview",
    playground: "Playground",
    requests: "Requests",
    sessions: "Log-ins",
    settings: "Settings",
    usage: "Usage",
    users: "Users",
  },
  {
    audit: "監査ログ",
    endpoints: "エンドポイント",
    fleet: "フリート",
    invitations: "招待",
    keys: "API キー",
    logs: "ログ",
    models: "モデル",
    overview: "概要",
    playground: "プレイグラウンド",
    requests: "リクエスト",
    sessions: "セッション",
    settings: "設定",
    usage: "利用状況",
    users: "ユーザー",
  },
);

/** A screen's name, as the navigation and its heading have it. */
export type ScreenName = keyof typeof titleTexts.en;

/** The name of a screen in the reader's language. */
export function useTitle(name: ScreenName): string {
  return useTexts(titleTexts)(name);
}

import { defineTexts } from "../text/i18n.ts";

export const partsTexts = defineTexts(
  "parts",
  {
    again: "Try again",
    cancel: "Cancel",
    close: "Close",
    copied: "Copied",
    copy: "Copy",
    copy_failed: "The browser did not let it be copied: select the text instead.",
    failed: "It could not be loaded",
    loading: "Loading…",
    offline: "llmlb does not answer",
    sort: "Sort by {{column}}",
    stale: "Not up to date: {{reason}}",
  },
  {
    again: "再試行",
    cancel: "キャンセル",
    close: "閉じる",
    copied: "コピーしました",
    copy: "コピー",
    copy_failed: "ブラウザーがコピーを許可しませんでした。テキストを選択してください。",
    failed: "読み込めませんでした",
    loading: "読み込み中…",
    offline: "llmlb が応答しません",
    sort: "{{column}}で並べ替え",
    stale: "最新ではありません：{{reason}}",
  },
);

import { defineTexts } from "../../text/i18n.ts";

export const loginTexts = defineTexts(
  "login",
  {
    again: "Your log-in has ended. Log in again: what you were doing is still here.",
    change: "Choose a new password",
    change_text: "The password you have is for the first log-in only.",
    failed: "Logging in failed",
    log_in: "Log in",
    new_password: "New password",
    no_match: "The two passwords differ.",
    oidc: "Log in with your organisation",
    password: "Password",
    repeat: "New password again",
    save: "Save and go on",
    user: "User name",
  },
  {
    again:
      "ログインの有効期限が切れました。もう一度ログインしてください。作業内容はそのまま残っています。",
    change: "新しいパスワードを設定",
    change_text: "現在のパスワードは初回ログイン専用です。",
    failed: "ログインできませんでした",
    log_in: "ログイン",
    new_password: "新しいパスワード",
    no_match: "パスワードが一致しません。",
    oidc: "組織のアカウントでログイン",
    password: "パスワード",
    repeat: "新しいパスワード（確認）",
    save: "保存して続ける",
    user: "ユーザー名",
  },
);

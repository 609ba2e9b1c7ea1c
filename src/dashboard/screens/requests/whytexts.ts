import { defineTexts } from "../../text/i18n.ts";

/** What the codes of errors mean that requests often end with, and what can be done. */
export const whyTexts = defineTexts(
  "why",
  {
    said: "The answer was: {{message}}",
    connection_error: "{{name}} could not be reached.",
    context_length_exceeded: "What was sent is longer than the model's context.",
    endpoint_error: "{{name}} answered with an error.",
    insufficient_memory: "The model does not fit into the memory of {{name}}.",
    model_load_failed: "{{name}} could not load the model: its log says more.",
    model_not_allowed: "The API key is not for this model.",
    model_not_found:
      "No endpoint serves a model of this name: it may be misspelt, or not there yet.",
    no_endpoint: "No endpoint that serves the model is up.",
    queue_full: "All slots were busy, and too many requests were waiting already.",
    queue_timeout: "All slots were busy until it had waited too long.",
    quota_exceeded: "The budget of the key or user is used up.",
    rate_limited: "The key or user has sent too many requests in a short time.",
    stream_broken: "{{name}} broke off in the middle of its answer.",
    timeout: "{{name}} did not answer in time.",
  },
  {
    said: "応答：{{message}}",
    connection_error: "{{name}} に接続できませんでした。",
    context_length_exceeded: "送信内容がモデルのコンテキスト長を超えています。",
    endpoint_error: "{{name}} がエラーを返しました。",
    insufficient_memory: "モデルが {{name}} のメモリに収まりません。",
    model_load_failed: "{{name}} がモデルを読み込めませんでした。詳細はログを確認してください。",
    model_not_allowed: "この API キーではこのモデルを使えません。",
    model_not_found:
      "この名前のモデルを提供するエンドポイントがありません。名前の誤りか、まだ準備できていない可能性があります。",
    no_endpoint: "このモデルを提供する稼働中のエンドポイントがありません。",
    queue_full: "すべてのスロットが使用中で、待ち行列も上限に達していました。",
    queue_timeout: "すべてのスロットが使用中のまま、待ち時間の上限を超えました。",
    quota_exceeded: "キーまたはユーザーの利用枠を使い切りました。",
    rate_limited: "キーまたはユーザーのリクエストが短時間に多すぎました。",
    stream_broken: "{{name}} が応答の途中で切断しました。",
    timeout: "{{name}} が時間内に応答しませんでした。",
  },
);

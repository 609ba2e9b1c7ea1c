/** What each setting is for, in Japanese; in English the API tells it. */
export const HELP_JA: Readonly<Record<string, string>> = {
  mode: "実行するもの：standalone（ロードバランサーとローカルノード）、balancer、node",
  host: "待ち受けるアドレス。0.0.0.0 はすべて。ループバック以外からのリクエストにはキーが必要",
  port: "待ち受けるポート。0 は空いているポートを使用",
  node_port: "standalone でのローカルノードのポート。使用中なら空いているポートを使用",
  access:
    "キーが必要な相手：auto（他のマシンから届くアドレスなら全員）、required（全員）、off（不要：接続できる人は誰でも何でも可能）",
  admin_username: "アクセス制御ありの初回起動で作成される管理者の名前",
  admin_password: "その管理者のパスワード。LLMLB_ADMIN_PASSWORD での指定を推奨",
  insecure: "--access off と同じ",
  allowed_hosts:
    "クライアントがこのサーバーに使う追加のホスト名（プロキシの背後など）：llm.example.com、.example.com は配下すべて、* は任意",
  allowed_origins:
    "このサーバーを使えるブラウザーのページ：https://chat.example.com、local はブラウザーと同じマシンのもの、* は任意、none はなし",
  trusted_proxies:
    "前段のリバースプロキシ。その X-Forwarded-For、-Proto、-Host を信頼：127.0.0.1、10.0.0.0/8",
  served_by: "応答したエンドポイントとモデルを回答に付ける（x-llmlb-endpoint、x-llmlb-model）",
  continue_streams:
    "エンドポイントが失敗したストリームを、同じモデルを持つ別のエンドポイントで続ける",
  tls_cert: "この証明書とそのチェーン（PEM）で HTTPS を提供。変更されると読み直す",
  tls_key: "証明書の秘密鍵（PEM）",
  tls_key_password: "秘密鍵の暗号化パスワード。フラグはこのマシンの全員に見えるが、変数は見えない",
  tls_ca:
    "エンドポイント、ノード、ロードバランサーの証明書について、システムのものに加えて信頼する認証局（PEM）",
  oidc_issuer: "ユーザーがログインに使う OpenID Connect プロバイダー",
  oidc_client_id: "プロバイダーでのこの llmlb の ID",
  oidc_client_secret: "プロバイダーでのシークレット。LLMLB_OIDC_CLIENT_SECRET での指定を推奨",
  oidc_scopes: "プロバイダーに要求するスコープ（空白区切り）",
  oidc_role_claim: "ログインした人のロールを示すクレーム（例：groups、realm_access.roles）",
  oidc_admin_values: "管理者とするクレームの値（カンマ区切り）",
  join: "参加するロードバランサー（例：http://balancer:32768）",
  token:
    "このノードが初めて参加するときのトークン。ロードバランサーで llmlb endpoint token により作成",
  fingerprint: "既知の認証局が署名していない場合の、ロードバランサーの証明書",
  name: "ロードバランサーでのこのノードの名前",
  advertise: "ロードバランサーがこのノードに接続するアドレス",
  models: "提供する GGUF ファイル。名前はファイル名または指定した名前。複数指定可",
  engine_args: "すべてのモデルに渡す llama-server の引数（例：-- --ctx-size 8192 --parallel 4）",
  load_timeout: "モデルの読み込みを待つ最長時間",
  models_memory:
    "読み込まれた全モデルの合計メモリー（例：20GiB）。使われていないものは他のために終了される",
  models_max: "同時に読み込まれるモデルの最大数",
  fit: "モデルが収まらない場合にコンテキストと GPU レイヤーを減らす：設定値より下でも、または決して減らさない",
  keep_alive:
    "最後のリクエストの後、モデルを読み込んだままにする時間。-1 はメモリーが必要になるまで",
  preload: "起動時に読み込むモデル。複数指定可",
  pin: "場所を空けるために終了させないモデル。複数指定可",
  prompt_disk: "終了したモデルのプロンプトに使うディスク。次の読み込みで再利用。0 は保持しない",
  model_sources:
    "Ollama、LM Studio、ハブのキャッシュにあるモデル：serve（提供）、link（取得時に利用）、none（使わない）",
  rpc_worker: "1 台に収まらないモデルのために、このホストのデバイスを他のノードへ貸し出す",
  workers: "デバイスを貸し出すノード。キーは http://KEY@host。モデルは workers で指定",
  hf_endpoint: "モデルの取得元となる Hugging Face ハブ、またはそのミラー",
  hf_token:
    "ハブの非公開・制限付きモデル用のトークン。ロードバランサーとノードはそれぞれ自分のものを持つ",
  origin_allowlist:
    "モデルファイルの取得を許可する場所（リダイレクトを含む）。カンマ区切り、* は任意",
  models_dir: "取得したモデル、または置いたモデルのフォルダー",
  max_download_rate: "ノードのダウンロード全体の毎秒の上限（例：20MiB）。0 は無制限",
  endpoints: "負荷分散する OpenAI 互換サーバー。キーは http://KEY@host。複数指定可",
  health_interval: "エンドポイントのヘルスチェックの間隔",
  health_timeout: "1 回のヘルスチェックの最長待ち時間",
  allow_metadata_addresses:
    "リンクローカルアドレス（169.254.0.0/16、fe80::/10）のエンドポイントを許可。クラウドが認証情報を配る場所",
  strategy: "エンドポイントの選び方：prefix、latency、least-busy、round-robin",
  default_slots: "エンドポイントが自ら示さない場合の同時リクエスト数",
  aliases:
    "モデルの別名。エンドポイントごとに複数の名前があってもよい（例：fast=llama3:8b=meta/llama-3-8b）。複数指定可",
  default_embedding_model: "モデルを指定しない埋め込みリクエストのモデル",
  openai_api_key: "openai:… という名前のモデル用のキー。OPENAI_API_KEY も可",
  openai_base_url: "OpenAI の API の場所。OPENAI_BASE_URL も可",
  google_api_key: "google:… という名前のモデル用のキー。GOOGLE_API_KEY、GEMINI_API_KEY も可",
  google_base_url: "Google の Gemini API の場所。GOOGLE_API_BASE_URL も可",
  anthropic_api_key: "anthropic:… という名前のモデル用のキー。ANTHROPIC_API_KEY も可",
  anthropic_base_url: "Anthropic の API の場所。ANTHROPIC_API_BASE_URL も可",
  providers:
    "name:… という名前のモデル用の、別の OpenAI 互換クラウド。キーは https://KEY@host。複数指定可",
  provider_thoughts:
    "以前のターンの思考を送る --provider のクラウド（例：deepseek）。他のクラウドは拒否する",
  fallbacks:
    "どのエンドポイントも受けられないモデル（* は任意）のリクエストを受けるクラウドモデル（例：llama=openai:gpt-4o）。複数指定可",
  http_proxy: "http:// のエンドポイントへのプロキシ。HTTP_PROXY も可。このマシンへは使われない",
  https_proxy: "https:// のエンドポイントへのプロキシ。HTTPS_PROXY も可",
  proxy_bypass:
    "プロキシを使わないホスト。NO_PROXY も可：gpu1、.example.com、10.0.0.0/8、* はすべて",
  queue_max: "モデルの空きスロットを待つキューの長さ。1 つのクライアントが使えるのは 5 分の 4 まで",
  queue_timeout: "空きスロットを待つ最長時間。0 なら待たない",
  body_limit: "受け付けるリクエスト本文の最大サイズ",
  body_memory: "全リクエスト本文に使うメモリー（各本文の 3 倍）。大きいものは 4 分の 1 まで",
  private_media: "リクエストが指定する画像を、プライベートアドレスやループバックからも取得する",
  images_max: "リクエストの最新メッセージに含められる画像数。それ以前のものは数えない",
  first_byte_timeout: "回答が始まるまでの最長時間（スロット待ちと全試行を含む）",
  try_timeout: "他を試せる間、1 つのエンドポイントのストリーム開始を待つ最長時間",
  idle_timeout: "ストリーム中の無通信の最長時間",
  drain_timeout: "停止シグナルの後、実行中のリクエストを続けられる時間",
  home: "データフォルダー：config.json、モデル、ログ",
  history_bodies:
    "プロンプトと回答の保存内容：none、redacted（文章を除いた形）、full（添付を除く）",
  history_retention: "リクエストを履歴に残す期間。統計は無期限に保持",
  history_size: "履歴が使う最大サイズ。超えると古いリクエストから削除",
  audit_retention: "誰が何を変更し、ログインし、拒否されたかを保持する期間",
  log_level: "出力するログの最低レベル：trace、debug、info、warn、error、silent",
  log_file:
    "stderr のほかに出力するログファイル、または none。32 MiB で名前を変え、古いものを 1 つ残す",
  access_log: "リクエストごとに info レベルのログを 1 行出力する",
  log_stderr:
    "ログを stderr にも出力する。stderr がローテーションされないファイルの場合は off にする",
  update_feed: "llmlb update が調べるリリースのフィード",
};

import type { Grammar } from "./text.ts";

/** What each fuzzed parser is given: texts that are right, and the parts of such. */

const JSON_PARTS = [
  ...["{", "}", "[", "]", ",", ":", '"', "\\", '"a"', '"model"', '"__proto__"', "null", "true"],
  ...["1", "-0", "1e400", "-1.5E-3", "9007199254740993", "01", "1.", ".5", "NaN", "tru", "\\u12"],
  ...['"\\ud83d\\ude00"', '"\\u0000"', '"\\"', "\ufeff", '{"a":', '"constructor"', "/**/", "'"],
];

export const JSON_BODIES: Grammar = {
  right: [
    '{"model":"m","messages":[{"role":"user","content":"hi \\"you\\" \\u00fc"}],"n":[1,2.5,-3e2]}',
    ' {"a" : {"b" : [ { } , [ ] , null , true , false ] } , "seed" : 12345678901234567890 } ',
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    `{"long":"${"x".repeat(200)}\\n${"ü".repeat(60)}","ids":[9007199254740993,-9007199254740995]}`,
  ],
  parts: JSON_PARTS,
};

export const SSE: Grammar = {
  right: [
    'event: message_start\ndata: {"a":1}\n\nevent: ping\r\ndata: {}\r\n\r\ndata: [DONE]\n\n',
    ": comment\nid: 1\nretry: 5\ndata: one\ndata: two\n\ndata:three\n\n\n",
    'data: {"choices":[{"delta":{"content":"ü😀"}}]}\n\n',
  ],
  parts: ["data:", "data: ", "event:", "id:", ":", "\n", "\r", "\r\n", "\n\n", "[DONE]", "\ufeff"],
};

const PART = '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n';
const FILE =
  '--b\r\nContent-Disposition: form-data; name="file"; filename="../a.wav"\r\n' +
  "Content-Type: audio/wav\r\n\r\nRIFF1234WAVE\r\n";

export const MULTIPART: Grammar = {
  right: [`${PART}${FILE}--b--\r\n`, `preamble\r\n${FILE}${PART}--b--`, `${PART}${PART}--b--\r\n`],
  parts: [
    ...[
      "--b",
      "--b--",
      "--",
      "\r\n",
      "\r\n\r\n",
      "\r",
      "\n",
      PART,
      FILE,
      'name="',
      "filename*=UTF-8''",
    ],
    ...["Content-Disposition: form-data", "; ", '"', "\\", "Content-Transfer-Encoding: base64"],
  ],
};

const ARTIFACT =
  '{"filename":"sub/a.gguf","format":"gguf","quantization":"Q4_K_M","size_bytes":1,' +
  '"sha256":null,"git_oid":null,"url":"https://h/a.gguf"}';

export const MANIFEST: Grammar = {
  right: [
    '{"model":"o/n","repo":"o/n","revision":"c","format":"gguf","quantization":null,' +
      `"artifacts":[${ARTIFACT},${ARTIFACT.replace("sub/a", "b")}],"origin_allowlist":[],` +
      '"created_at":"2026-01-01T00:00:00Z"}',
  ],
  parts: [
    "..",
    "/",
    "../",
    "\\\\",
    ".",
    ":",
    "C:",
    "~",
    "\\u0000",
    "%2e",
    "//",
    "-1",
    ...JSON_PARTS,
  ],
};

export const ADDRESSES: Grammar = {
  right: [
    "http://gpu1:8080",
    "gpu=http://user:key@10.0.0.1:8000/v1",
    "https://[::ffff:169.254.169.254]:443/",
    "name=https://[fe80::1%25eth0]/v1/",
    "http://0xa9fea9fe/latest",
  ],
  parts: [
    ...[
      "http://",
      "https://",
      "ftp://",
      "file:///",
      "[",
      "]",
      "::",
      "::ffff:",
      "@",
      ":",
      "/",
      "?",
      "#",
    ],
    ...[
      "169.254.169.254",
      "0x7f",
      "0177.1",
      "2130706433",
      "localhost",
      ".",
      "=",
      "%25",
      "。",
      "①",
      ":0",
    ],
    ...["99999", "user:pass@", "fd00:ec2::254", "metadata.google.internal", "\\", "//", "xn--"],
  ],
};

export const CONFIG_FILES: Grammar = {
  right: [
    '{"port": 8080, "host": "0.0.0.0", "endpoints": ["http://a:1"], "allowed_hosts": ["*.lan"]}',
    '\ufeff{"access": "required", "log_level": "debug", "body_limit": "64MiB"}',
  ],
  parts: ['"port"', '"host"', '"endpoints"', '"toString"', '"__proto__"', ...JSON_PARTS],
};

export const COOKIES: Grammar = {
  right: [
    "llmlb_session=ses_abc; llmlb_csrf=def",
    "a=b; __Host-llmlb_session=ses_x; llmlb_session=ses_y",
    'llmlb_session="quoted"; llmlb_session=',
  ],
  parts: [
    "llmlb_session",
    "=",
    ";",
    "; ",
    ",",
    '"',
    "__Host-",
    "ses_",
    " ",
    "==",
    "llmlb_session=;",
  ],
};

export const CREDENTIALS: Grammar = {
  right: [
    "Bearer sk_0123456789abcdefghijklmnopqrstuv",
    `Basic ${btoa(":sk_key")}`,
    "key=sk_abc&x=1",
    "bearer  x y ",
  ],
  parts: [
    "Bearer ",
    "Basic ",
    "bearer",
    "key=",
    "&",
    "=",
    ":",
    "Og==",
    "====",
    "sk_",
    "%",
    "%zz",
    ",",
  ],
};

export const KEYS: Grammar = {
  right: [
    '{"name":"k","limits":{"requests_per_minute":5,"tokens_per_day":0,"cost_per_day":1.5,' +
      '"priority":"low"},"models":["a*"],"expires_at":"2030-01-01T00:00:00Z"}',
  ],
  parts: ['"limits"', "-1", "1e999", '"cost_per_day"', '"priority"', '"high"', ...JSON_PARTS],
};

export const HOSTS: Grammar = {
  right: [
    "localhost:8080",
    "127.0.0.1",
    "[::1]:80",
    "evil.example",
    "a.lan.example.",
    "box.local:1",
  ],
  parts: [
    ...[
      "localhost",
      ".localhost",
      "evil.example",
      "@",
      ":",
      "80",
      "[",
      "]",
      "::1",
      ".",
      ",",
      " ",
      "/",
    ],
    ...["127.0.0.1", "#", "?", "%", "box", "lan.example", "_", "-", "999999", "1.2.3.4.5"],
  ],
};

export const FORWARDED: Grammar = {
  right: [
    "203.0.113.7, 10.0.0.1",
    "[2001:db8::1]:80, 10.0.0.2:99",
    "unknown, ::ffff:10.0.0.1",
    "::1",
  ],
  parts: [
    ",",
    ", ",
    "10.0.0.1",
    "203.0.113.7",
    "::1",
    "[",
    "]",
    ":",
    ":80",
    "unknown",
    "_x",
    "%eth0",
  ],
};

export const QUERIES: Grammar = {
  right: [
    "limit=10&cursor=MTcwMDAwMDAwMDAwMC4xMg&status=error&from=2026-01-01T00:00:00Z",
    "model=a*&user=eve&to=2026-02-30&by=day&limit=0",
    "MTcwMDAwMDAwMDAwMC4xMg",
  ],
  parts: [
    "limit=",
    "cursor=",
    "&",
    "=",
    "-1",
    "1e9",
    "from=",
    "to=",
    "status=",
    "%",
    "MTIuMw",
    "2026-",
  ],
};

/** Texts that would change a statement of SQL which is put together of text. */
export const SQL = [
  "' OR '1'='1' --",
  "x'; DROP TABLE users; --",
  '" OR 1=1 --',
  "x' UNION SELECT password_hash FROM users --",
  "') ON CONFLICT DO UPDATE SET role='admin' --",
  "%' ESCAPE '\\",
  "?1 $x :x @x \\' \\\" `x`",
];

/** Names that would lead elsewhere if they became part of a path: as they are in a request line. */
export const TRAVERSALS = [
  "../../../../etc/passwd",
  "..%2f..%2f..%2f..%2fetc%2fpasswd",
  "%2e%2e%2f%2e%2e%2fsecret.key",
  "..%252f..%252fsecret.key",
  "..%255c..%255csecret.key",
  "..\\..\\secret.key",
  "..%5c..%5csecret.key",
  "....//....//secret.key",
  "%2fetc%2fpasswd",
  "secret.key%00.gguf",
  "..%00/secret.key",
  "..%c0%afsecret.key",
  "%uff0e%uff0e/secret.key",
  "file:%2f%2f%2fetc%2fpasswd",
  "C:%5cWindows%5cwin.ini",
];

/** Fields that would change what every object has if they were merged. */
export const POLLUTION = [
  '"__proto__":{"role":"admin","polluted":"yes","permissions":["users.manage"],"stream":true}',
  '"constructor":{"prototype":{"polluted":"yes","role":"admin"}}',
  '"__proto__":[]',
  '"__proto__":null',
  '"prototype":{"polluted":"yes"}',
  '"toString":"yes","hasOwnProperty":1,"valueOf":null,"then":{}',
];

/** What a terminal or whoever reads a log by lines would take for more than text. */
export const FORGERIES = [
  '\n{"level":"info","msg":"forged.line"}\n',
  "\r\nforged.line\r\n",
  "\u001b]0;forged title\u0007\u001b[2J\u001b[1;31mforged",
  "\u009b31mforged",
  "\u2028forged\u2029\u202eforged",
  "\u0000forged\u0008\u007f",
];

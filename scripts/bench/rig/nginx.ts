import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../../src/testkit/freeport.ts";
import { type PinnedProcess, startPinned } from "./pinned.ts";

export interface NginxOptions {
  /** Where requests go. */
  upstream: string;
  core: number;
  /** Its configuration and temporary files. */
  folder: string;
}

/** Starts nginx as a reverse proxy with one worker, kept-alive connections and no buffering. */
export async function startNginx({ upstream, core, folder }: NginxOptions): Promise<PinnedProcess> {
  const port = freePort();
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "nginx.conf");
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ");
  writeFileSync(
    file,
    `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; ${paths}
  upstream target {
    server ${new URL(upstream).host};
    keepalive 512; keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://target; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`,
  );
  const argv = ["nginx", "-c", file, "-e", `${folder}/error.log`];
  return startPinned({ argv, core, port, probe: "/v1/models" });
}

import { expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import {
  certificateFlags,
  type MadeCertificate,
  makeCertificate,
} from "../src/testkit/certificate.ts";
import { says } from "../src/testkit/clients.ts";
import { runProgram } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import type { Program } from "../src/testkit/program.ts";
import { stage } from "../src/testkit/stage.ts";
import { EndpointList } from "../src/wire/endpoint.ts";

setDefaultTimeout(90_000);

const MODEL = "llmlb-tiny";
const { start, newHome } = stage();
const authority = makeCertificate({ name: "authority", isAuthority: true, hosts: [] });
const [first, second, third] = ["first", "second", "third"].map((name) =>
  makeCertificate({ name }),
) as [MadeCertificate, MadeCertificate, MadeCertificate];

/** What a server shows to new connections. */
function shown({ url }: { url: string }): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const place = { host: "127.0.0.1", port: Number(new URL(url).port), rejectUnauthorized: false };
  const socket = connect(place, () => {
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    resolve(`sha256:${fingerprint256.replaceAll(":", "").toLowerCase()}`);
  });
  socket.on("error", reject);
  return promise;
}

/** Replaces both files as tools do that renew certificates: each in one step. */
function replace(folder: string, { cert, key }: { cert: string; key: string }): void {
  for (const [name, text] of Object.entries({ "key.pem": key, "cert.pem": cert })) {
    writeFileSync(join(folder, `${name}.new`), text, { mode: 0o600 });
    renameSync(join(folder, `${name}.new`), join(folder, name));
  }
}

/** A connection that is made just when the server changes may be closed. */
const untilShown = (program: { url: string }, { fingerprint }: MadeCertificate) =>
  eventually(async () => (await shown(program).catch(String)) === fingerprint || undefined, 15_000);

const run = (home: string, ...args: string[]) => runProgram(args, { home });

async function endpoints(home: string) {
  const { stdout } = await run(home, "endpoint", "list", "--json");
  return EndpointList.parse(JSON.parse(stdout)).endpoints;
}

const untilOnline = (home: string, pinned: string | null) =>
  eventually(async () => {
    const [one] = await endpoints(home);
    return one?.status === "online" && one.tls_fingerprint === pinned ? one : undefined;
  }, 60_000);

function chat({ url }: Program, more: object = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: MODEL, messages: says("Goodbye"), temperature: 0, ...more }),
    tls: { ca: [first.cert, second.cert, third.cert] },
    keepalive: false,
  });
}

test("a server shows its certificate, and another as soon as its files have changed", async () => {
  const home = newHome();
  const program = await start({ home, args: certificateFlags(home, first) });
  expect(program.url).toStartWith("https://127.0.0.1:");
  expect((await chat(program)).status).toBe(200);
  await expect(fetch(program.url.replace("https", "http"))).rejects.toThrow();

  // The commands of the same data folder know the certificate.
  const status = await run(home, "status", "--json");
  expect([status.code, JSON.parse(status.stdout)]).toMatchObject([
    0,
    { servers: [{ url: program.url, health: { status: "ok" } }] },
  ]);
  const named = await run(home, "endpoint", "list", "--url", program.url);
  expect([named.code, named.stdout]).toEqual([0, expect.stringContaining("online")]);
  const said = await runProgram(["chat", MODEL, "Goodbye"], { home });
  expect([said.code, said.stdout.length > 0]).toEqual([0, true]);
  const stranger = await run(newHome(), "status", "--url", program.url);
  expect([stranger.code, stranger.stderr]).toEqual([3, expect.stringContaining("LLMLB_TLS_CA")]);

  // A stream that runs goes on while the certificate changes.
  const stream = await chat(program, { stream: true, max_tokens: 200, ignore_eos: true });
  replace(home, second);
  await untilShown(program, second);
  const text = await stream.text();
  expect([text.includes("finish_reason"), text.trimEnd().endsWith("[DONE]")]).toEqual([true, true]);
  expect((await run(home, "status")).code).toBe(0);

  // Files that do not fit change nothing, and the log says so.
  replace(home, { cert: third.cert, key: first.key });
  await eventually(
    () => program.lines.some((line) => line.includes("tls.not_renewed")) || undefined,
  );
  expect(program.lines.find((line) => line.includes("tls.not_renewed"))).toContain(
    "is not the private key of the certificate",
  );
  expect(await shown(program)).toBe(second.fingerprint);
  replace(home, third);
  program.signal("SIGHUP");
  await untilShown(program, third);
  expect((await chat(program)).status).toBe(200);
  const stopped = await run(home, "stop");
  expect([stopped.code, await program.exited]).toEqual([0, 0]);
});

test("files that cannot be used end the start with 2 and the reason", async () => {
  const home = newHome();
  const [, cert = "", , key = ""] = certificateFlags(home, first);
  copyFileSync(key, join(home, "old.pem"));
  writeFileSync(key, second.key);
  const tries: [string[], string][] = [
    [["--tls-cert", `${cert}.none`, "--tls-key", key], "there is no such file"],
    [["--tls-cert", key], "holds no certificate in PEM"],
    [["--tls-cert", cert, "--tls-key", key], "is not the private key of the certificate"],
    [["--tls-key", key], "name its file with --tls-cert"],
    [["--tls-ca", key], "holds no certificate in PEM"],
  ];
  for (const mode of ["balancer", "node"]) {
    for (const [args, reason] of tries) {
      const { code, stderr } = await run(home, mode, "--port", "0", ...args);
      expect([args, code, stderr]).toEqual([args, 2, expect.stringContaining(reason)]);
    }
  }
});

test("a node joins over TLS: each side pins the other's certificate", async () => {
  const home = newHome();
  const nodeHome = newHome();
  const front = await start({
    ...{ mode: "balancer", home, untilReady: false },
    args: certificateFlags(home, first),
  });
  const made = await run(home, "endpoint", "token");
  const [, command = ""] = /llmlb node (--join .*)/.exec(made.stderr) ?? [];
  expect(command).toEndWith(`--fingerprint ${first.fingerprint}`);
  const node = await start({
    ...{ mode: "node", home: nodeHome, untilReady: false },
    args: [...certificateFlags(nodeHome, second), ...command.split(" ")],
  });
  expect(await untilOnline(home, second.fingerprint)).toMatchObject({
    ...{ base_url: node.url, source: "node" },
  });
  expect((await chat(front)).status).toBe(200);

  // The node tells of its next certificate itself.
  replace(nodeHome, third);
  await untilOnline(home, third.fingerprint);
  expect((await chat(front)).status).toBe(200);

  // It remembers the balancer's, and believes no other.
  await node.stop();
  const join = ["--join", front.url];
  const again = await start({ mode: "node", home: nodeHome, untilReady: false, args: join });
  await untilOnline(home, null);
  await again.stop();
  const wrong = await start({
    ...{ mode: "node", home: newHome(), untilReady: false },
    args: [...join, "--token", "enrol_x", "--fingerprint", third.fingerprint],
  });
  await eventually(
    () => wrong.lines.some((line) => line.includes("is not the pinned one")) || undefined,
  );
  await wrong.stop();
  await front.stop();
});

test("an endpoint's certificate is pinned, or signed by an authority of one's own", async () => {
  const home = newHome();
  const back = newHome();
  const own = await start({
    mode: "node",
    home: back,
    untilReady: false,
    args: certificateFlags(back, first),
  });
  const caFile = join(home, "ca.pem");
  writeFileSync(caFile, authority.cert);
  const args = ["--tls-ca", caFile];
  const front = await start({ mode: "balancer", home, untilReady: false, args });

  const added = await run(home, "endpoint", "add", own.url, "--name", "own");
  expect(added.stdout).toContain(`does not answer`);
  expect(added.stdout).toContain(first.fingerprint);
  const colons = first.fingerprint
    .slice(7)
    .toUpperCase()
    .replace(/..(?=.)/g, "$&:");
  const wrong = await run(home, "endpoint", "set", "own", "--fingerprint", "sha256:12");
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    expect.stringContaining("--fingerprint sha256:12"),
  ]);
  const other = await run(home, "endpoint", "set", "own", "--fingerprint", second.fingerprint);
  expect(other.stdout).toContain("is not the pinned one");
  const pinned = await run(home, "endpoint", "set", "own", "--fingerprint", colons);
  expect(pinned.stdout).toContain("1 model");
  expect((await chat(front)).status).toBe(200);
  const cleared = await run(home, "endpoint", "set", "own", "--clear", "fingerprint");
  expect(cleared.stdout).toContain("does not answer");

  const signed = makeCertificate({ name: "signed", issuer: authority });
  replace(back, signed);
  await untilShown(own, signed);
  expect(await (await run(home, "endpoint", "test", "own")).code).toBe(0);
  await front.stop();
  await own.stop();
});

import { describe, expect, setSystemTime, test } from "bun:test";
import { createHash } from "node:crypto";
import { until } from "../testkit/eventually.ts";
import { errorAnswer, register, testRegistry } from "../testkit/registry.ts";
import { tooManyRequests } from "../testkit/servers/hub/fault.ts";
import { safetensorsRepo, someBytes, variantsRepo } from "../testkit/servers/hub/samples.ts";

const LLAMA = "acme/Llama-3-8B-GGUF";

describe("while the hub", () => {
  test("does not show a repository, it is said what to do", async () => {
    await using at = await testRegistry();
    const files = { "a-Q4_0.gguf": "x" };
    await at.hub.add({ name: "a/private", files, private: true, allowed: ["hf_me"] });
    await at.hub.add({ name: "a/gated", files, gated: "manual", allowed: ["hf_me"] });
    for (const repo of ["a/none", "a/private"]) {
      const answer = await register(at, { repo });
      expect(answer).toMatchObject(errorAnswer("hub_repo_not_found", 404));
      expect(answer.body.error.message).toContain("HF_TOKEN");
    }
    const { body } = await register(at, { repo: "a/gated" });
    expect(body).toMatchObject({ status: "registered", gated: true });
    expect(body.warnings[0]).toContain("accept its licence");
    // Which shards there are, names tell, too.
    await at.hub.add({ ...safetensorsRepo("a/shards"), gated: "auto" });
    const shards = await register(at, { repo: "a/shards" });
    expect(shards).toMatchObject({ status: 201, body: { size_bytes: 4000 } });
    at.hub.fail({ on: "api", repo: "a/other", mishap: GATED });
    const refused = await register(at, { repo: "a/other" });
    expect(refused).toMatchObject(errorAnswer("hub_gated", 403));
    expect(refused.body.error.message).toContain("Accept its licence at");
  });

  test("was asked at a time that a clock set back has yet to reach, it is asked", async () => {
    await using at = await testRegistry({ ttlMs: 600_000 });
    await at.hub.add(variantsRepo());
    await register(at, { repo: LLAMA });
    await at.call("DELETE", `/api/models/hf/${LLAMA}`);
    const sha = await at.hub.commit(LLAMA, { "README.md": "# New\n" });
    setSystemTime(new Date(Date.now() - 86_400_000));
    try {
      expect((await register(at, { repo: LLAMA })).body).toMatchObject({ revision: sha });
    } finally {
      setSystemTime();
    }
  });

  const GATED = { status: 403, headers: { "x-error-code": "GatedRepo" } };

  test("is shown a token, it gives private repositories; nobody else sees it", async () => {
    await using at = await testRegistry({ token: "hf_me" });
    const files = { ...safetensorsRepo().files, "big.safetensors.index.json": "{}" };
    await at.hub.add({ name: "a/private", files, private: true, allowed: ["hf_me"] });
    await using other = await testRegistry();
    at.hub.fail({
      ...{ on: "resolve", file: "model.safetensors.index.json" },
      mishap: { redirectTo: `${other.hub.cdnUrl}/elsewhere` },
    });
    const filename = "model.safetensors.index.json";
    const answer = await register(at, { repo: "a/private", filename });
    expect(answer).toMatchObject(errorAnswer("hub_unreachable", 502));
    expect(at.hub.requests.length).toBeGreaterThan(0);
    expect(at.hub.requests.every(({ authorization }) => authorization === "Bearer hf_me")).toBe(
      true,
    );
    expect(other.hub.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
    at.hub.faults.clear();
    const registered = await register(at, { repo: "a/private", filename });
    expect(registered.body.warnings[0]).toContain("set HF_TOKEN on every node");
  });

  test("does not know the token, it is said", async () => {
    await using at = await testRegistry({ token: "hf_wrong" });
    await at.hub.add(variantsRepo());
    expect(await register(at, { repo: LLAMA })).toMatchObject(
      errorAnswer("hub_token_refused", 502),
    );
  });

  test.each([
    [403, "Access to this resource is disabled."],
    [451, "Unavailable for legal reasons."],
    [400, "Invalid request."],
  ])("answers %d, its own words are told, and that is no wrong token", async (status, words) => {
    for (const token of [undefined, "hf_me"]) {
      await using at = await testRegistry(token === undefined ? {} : { token });
      at.hub.fail({ on: "api", mishap: { status, headers: { "x-error-message": words } } });
      const answer = await register(at, { repo: LLAMA });
      expect(answer).toMatchObject(errorAnswer("hub_refused", 502));
      expect(answer.body.error.message).toContain(`it answers with status ${status}: "${words}"`);
      // Each question once: it is no failure that passes.
      const paths = at.hub.requests.map(({ path }) => path);
      expect(new Set(paths).size).toBe(paths.length);
    }
  });

  test("is a mirror that passes on the hub's own links, it is not left", async () => {
    await using at = await testRegistry();
    await at.hub.add(variantsRepo());
    at.hub.pageSize = 3;
    at.hub.linkedUrl = "http://hub.invalid";
    expect((await register(at, { repo: LLAMA })).body.variants).toHaveLength(3);
    at.hub.rename(LLAMA, "acme/New-GGUF");
    at.hub.linkedUrl = "https://huggingface.co";
    await at.call("DELETE", `/api/models/hf/${LLAMA}`);
    const { body } = await register(at, { repo: LLAMA });
    expect(body.id).toBe("hf/acme/New-GGUF");
  });

  test("wants a pause or is out, what it told before counts", async () => {
    await using at = await testRegistry({ allMs: 100 });
    await at.hub.add(variantsRepo());
    const q8 = { repo: LLAMA, filename: "Llama-3-8B-Q8_0.gguf" };
    at.hub.fail({ on: "api", mishap: { status: 503 } });
    expect(await register(at, q8)).toMatchObject(errorAnswer("hub_unreachable", 502));
    at.hub.faults.clear();
    expect((await register(at, q8)).body).toMatchObject({ stale: false });
    at.hub.fail({ on: "api", mishap: { status: 503 } });
    const out = await register(at, { repo: LLAMA });
    expect(out).toMatchObject({ status: 201, body: { stale: true, size_bytes: 4000 } });
    expect(out.body.warnings[0]).toContain("out of date");
    at.hub.faults.clear();
    at.hub.fail({ on: "api", mishap: tooManyRequests(30) });
    const limited = await register(at, { repo: "a/b" });
    expect(limited).toMatchObject(errorAnswer("hub_rate_limited", 502));
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(25);
    const about = () => at.hub.requests.filter((request) => request.repo === LLAMA).length;
    const before = about();
    const q4 = { repo: LLAMA, filename: "Llama-3-8B-Q4_K_M.gguf" };
    expect((await register(at, q4)).body).toMatchObject({ stale: true });
    // It had been told to leave the hub alone.
    expect(about()).toBe(before);
  });

  test("wants a short pause, it is waited for", async () => {
    await using at = await testRegistry();
    await at.hub.add(variantsRepo());
    at.hub.fail({ on: "api", mishap: tooManyRequests(1), times: 1 });
    at.hub.fail({ on: "api", mishap: { status: 502 }, times: 1 });
    expect((await register(at, { repo: LLAMA })).body).toMatchObject({ stale: false });
  });

  test("is asked the same by several at once, it is asked once", async () => {
    await using at = await testRegistry({ ttlMs: 60_000 });
    await at.hub.add(variantsRepo());
    const files = ["Llama-3-8B-Q8_0.gguf", "Llama-3-8B-Q4_K_M.gguf"];
    await Promise.all(files.map((filename) => register(at, { repo: LLAMA, filename })));
    await register(at, { repo: LLAMA });
    expect(at.hub.requests.map(({ path }) => path.split("?")[0]).sort()).toEqual([
      `/api/models/${LLAMA}/paths-info/${at.registry.list()[0]?.revision}`,
      `/api/models/${LLAMA}/revision/main`,
      `/api/models/${LLAMA}/tree/main`,
    ]);
  });

  test("is committed to between two answers, sizes are those of the commit", async () => {
    await using at = await testRegistry();
    await at.hub.add(variantsRepo());
    // The first of the two questions is answered for the old commit, the second for the new one.
    at.hub.fail({ on: "api", mishap: { delayMs: 150 }, after: 1, times: 1 });
    const registering = register(at, { repo: LLAMA });
    await until(() => at.hub.requests.length === 2, 15_000);
    await Bun.sleep(30);
    await at.hub.commit(LLAMA, { "Llama-3-8B-Q4_K_M.gguf": someBytes(5000, 44) });
    const { body } = await registering;
    const manifest = (await at.call("GET", `/api/models/registry/${LLAMA}/manifest.json`)).body;
    const q4 = manifest.artifacts.find((one: { quantization: string }) => {
      return one.quantization === "Q4_K_M";
    });
    expect(manifest.revision).toBe(body.revision);
    const bytes = await (await fetch(q4.url)).bytes();
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(q4.sha256);
  });
});

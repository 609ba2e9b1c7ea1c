import { describe, expect, test } from "bun:test";
import { errorAnswer, register, testRegistry } from "../testkit/registry.ts";
import { safetensorsRepo, variantsRepo } from "../testkit/servers/hub/samples.ts";
import { Manifest } from "../wire/manifest.ts";
import { RegisteredDetail, RegisteredList } from "../wire/registry.ts";

const LLAMA = "acme/Llama-3-8B-GGUF";
const QWEN = "acme/Qwen3-0.6B";

describe("a registered model", () => {
  test("is listed, shown, changed and deleted by any of its names", async () => {
    await using at = await testRegistry();
    await at.hub.add(variantsRepo());
    await at.hub.add(safetensorsRepo());
    const seen: string[] = [];
    at.registry.onChange(({ kind, id }) => seen.push(`${kind} ${id}`));
    await register(at, { repo: LLAMA, aliases: ["llama"], nodes: ["n1"] });
    await register(at, { repo: QWEN, replicas: 1 });
    const list = RegisteredList.parse((await at.call("GET", "/api/models")).body);
    expect(list).toMatchObject({ total: 2, complete: true });
    expect(list.data.map(({ id }) => id)).toEqual([`hf/${LLAMA}`, `hf/${QWEN}`]);
    const part = RegisteredList.parse((await at.call("GET", "/v0/models?search=qwen")).body);
    expect(part).toMatchObject({ total: 1, complete: false });
    expect((await at.call("GET", "/api/models?limit=1&offset=1")).body).toMatchObject({
      ...{ total: 2, complete: false, data: [{ id: `hf/${QWEN}` }] },
    });
    expect((await at.call("GET", "/api/models?tags=gguf")).body.total).toBe(1);
    expect((await at.call("GET", "/api/models?limit=x")).status).toBe(400);
    const perNode = await Promise.all(
      ["n1", "n2", "n3"].map((node) => at.call("GET", `/api/models?node=${node}`)),
    );
    const given = perNode.map(({ body }) => body.data.map(({ id }: { id: string }) => id));
    expect(given.flat().filter((id) => id === `hf/${LLAMA}`)).toHaveLength(1);
    expect(given[0]).toContain(`hf/${LLAMA}`);
    expect(given.flat().filter((id) => id === `hf/${QWEN}`)).toHaveLength(1);

    at.served.add(`hf/${LLAMA}`);
    for (const name of ["llama", LLAMA, `hf%2F${LLAMA.replace("/", "%2F")}`]) {
      const { body } = await at.call("GET", `/api/models/${name}`);
      expect(RegisteredDetail.parse(body)).toMatchObject({ id: `hf/${LLAMA}`, ready: true });
    }
    expect((await at.call("GET", "/api/models/hub")).body).toMatchObject([
      { id: `hf/${LLAMA}`, status: "ready", recommended_filename: "Llama-3-8B-Q4_K_M.gguf" },
      { id: `hf/${QWEN}`, status: "registered", hf_info: { downloads: 0, likes: 0 } },
    ]);
    const before = at.registry.revision;
    const change = { aliases: ["big"], display_name: null, chat_template: "x" };
    expect(await at.call("PATCH", "/api/models/llama", change)).toMatchObject({
      status: 200,
      body: { aliases: ["big"], chat_template: "x", nodes: ["n1"] },
    });
    expect(at.registry.revision).not.toBe(before);
    expect((await at.call("GET", "/api/models/llama")).status).toBe(404);
    const taken = await at.call("PATCH", `/api/models/${QWEN}`, { aliases: ["BIG"] });
    expect(taken).toMatchObject(errorAnswer("alias_taken", 409));

    const later = await at.restarted();
    expect(later.registry.resolve("big")?.id).toBe(`hf/${LLAMA}`);
    expect((await later.call("DELETE", `/api/models/hf/${LLAMA}`)).status).toBe(204);
    for (const name of ["big", LLAMA]) {
      const gone = await later.call("DELETE", `/v0/models/${name}`);
      expect(gone).toMatchObject(errorAnswer("model_not_found", 404));
    }
    expect((await later.call("GET", "/api/models")).body.total).toBe(1);
    expect(seen).toEqual([
      ...[`registered hf/${LLAMA}`, `registered hf/${QWEN}`, `changed hf/${LLAMA}`],
    ]);
  });

  test("knows the shards of an index that is too large to be read by their names", async () => {
    await using at = await testRegistry();
    const { files } = safetensorsRepo();
    const index = `{"weight_map":{${" ".repeat(33 * 2 ** 20)}}}`;
    const name = "model.safetensors.index.json";
    await at.hub.add({ ...safetensorsRepo("a/huge"), files: { ...files, [name]: index } });
    const known = await register(at, { repo: "a/huge" });
    expect(known).toMatchObject({ status: 201, body: { kind: "safetensors", size_bytes: 4000 } });
    const other = { ...files, [name]: index, "model-00001-of-00002.safetensors": "" };
    await at.hub.add({ ...safetensorsRepo("a/part"), files: other });
    const unknown = await register(at, { repo: "a/part" });
    expect(unknown).toMatchObject(errorAnswer("unsuitable_repo", 400));
    expect(unknown.body.error.message).toContain(`${name} is too large`);
  });

  test("with files of one quantization says that nodes take none of them by chance", async () => {
    await using at = await testRegistry();
    const files = { "a-Q8_0.gguf": "aa", "b-q8_0.gguf": "b", "a-Q4_0.gguf": "a" };
    await at.hub.add({ name: "a/twins", files });
    const { body } = await register(at, { repo: "a/twins" });
    expect(body.warnings[0]).toContain("Several files are Q8_0: a-Q8_0.gguf, b-q8_0.gguf.");
  });

  test("keeps a template that an operator gives apart from the hub's, for nodes", async () => {
    await using at = await testRegistry();
    await at.hub.add(variantsRepo());
    const path = `/api/models/hf/${LLAMA}`;
    const given = async () => {
      const { body } = await at.call("GET", `/api/models/registry/hf/${LLAMA}/manifest.json`);
      const shown = await at.call("GET", path);
      return [Manifest.parse(body).chat_template, shown.body.chat_template];
    };
    await register(at, { repo: LLAMA });
    expect(await given()).toEqual([undefined, "{{ gguf }}"]);
    expect((await at.call("PATCH", path, { chat_template: "{{ own }}" })).status).toBe(200);
    expect(await given()).toEqual(["{{ own }}", "{{ own }}"]);
    const later = await at.restarted();
    const { body } = await later.call("PATCH", path, { chat_template: null });
    expect(body).toMatchObject({ chat_template: "{{ gguf }}" });
    expect((await later.call("PATCH", path, { chat_template: "" })).status).toBe(400);
    await later.call("DELETE", path);
    await register(later, { repo: LLAMA, chat_template: "{{ first }}" });
    const [row] = later.registry.rows();
    expect(row).toMatchObject({ ownTemplate: "{{ first }}", chatTemplate: "{{ gguf }}" });
  });
});

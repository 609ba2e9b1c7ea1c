import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FakeBalancer, fakeBalancer } from "../../testkit/balancer.ts";
import { runProgram, temporaryHome } from "../../testkit/command.ts";
import { type Hub, startHub } from "../../testkit/servers/hub/hub.ts";
import { safetensorsRepo, variantsRepo } from "../../testkit/servers/hub/samples.ts";

let hub: Hub;
let balancer: FakeBalancer;
const home = temporaryHome();

beforeAll(async () => {
  hub = await startHub();
  await hub.add(variantsRepo());
  await hub.add(safetensorsRepo());
  balancer = await fakeBalancer({}, { hubUrl: hub.url });
});

afterAll(async () => {
  await balancer[Symbol.asyncDispose]();
  await hub[Symbol.asyncDispose]();
  home[Symbol.dispose]();
});

function model(...args: string[]) {
  return runProgram(["model", ...args, "--url", balancer.url], { home: home.path });
}

test("models are added, listed, shown, changed and removed", async () => {
  const added = await model("add", "acme/Llama-3-8B-GGUF", "--alias", "llama", "--replicas", "2");
  expect(added).toMatchObject({ code: 0, stderr: "" });
  expect(added.stdout).toContain("Registered hf/acme/Llama-3-8B-GGUF: Llama-3-8B-Q4_K_M.gguf");
  expect(added.stdout).toContain("Nodes choose among: BF16, Q4_K_M, Q8_0");
  const again = await model("add", `${hub.url}/acme/Llama-3-8B-GGUF`);
  expect(again).toMatchObject({ code: 1, stdout: "" });
  expect(again.stderr).toContain("Model already registered");
  expect((await model("add", "acme/Qwen3-0.6B", "--json")).stdout).toContain('"warnings"');

  expect((await model("list", "--format", "ids")).stdout).toBe(
    "hf/acme/Llama-3-8B-GGUF\nhf/acme/Qwen3-0.6B\n",
  );
  const { stdout } = await model("list", "--search", "LLAMA");
  const nobody = "no node that is online has it, or fetches it";
  expect(stdout).toMatch(/^MODEL .* WHY\nhf\/acme\/Llama-3-8B-GGUF +registered .* llama +/);
  expect(stdout).toEndWith(`  ${nobody}\n`);
  expect((await model("list", "--limit", "1", "--offset", "1")).stdout).toContain("1 of 2 models");

  const shown = await model("show", "llama");
  expect(shown.stdout).toContain("Q8_0 (");
  expect(shown.stdout).toMatch(new RegExp(`Not ready +${nobody}`));
  expect(shown.stdout).toMatch(/Nodes +2 of all/);
  expect(await model("set", "llama", "--alias", "big")).toMatchObject({ code: 0 });
  expect(await model("rm", "big")).toMatchObject({
    ...{ code: 0, stdout: "Removed hf/acme/Llama-3-8B-GGUF\n" },
  });
  expect((await model("rm", "big")).stderr).toContain("Model not found: big");
}, 60_000);

test.each([
  [["list", "--format", "xml"], "--format xml: must be one of table, json, ids"],
  [["list", "--limit", "0"], "--limit 0: must be a whole number from 1 to 9999"],
  [["set", "x"], "Say what to change"],
  [["add"], "missing required argument"],
])("what is wrong is said: %j", async (args, message) => {
  const { code, stderr } = await model(...args);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

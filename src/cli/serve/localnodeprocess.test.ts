import { expect, test } from "bun:test";
import { loadSettings } from "../../config/precedence.ts";
import { spawnProgram } from "../../lib/childprocess.ts";
import { temporaryHome } from "../../testkit/command.ts";
import { LOCAL_NODE_COMMAND } from "./localnodecommand.ts";
import { LocalNodeMessage, type ParentMessage } from "./localnodemessages.ts";

test("what the parent says while the node is being made is not lost", async () => {
  using home = temporaryHome();
  const flags = { home: home.path, modelSources: "none", port: "0", nodePort: "0" };
  const { settings } = loadSettings({ flags, env: {} });
  const balancer = { url: "http://127.0.0.1:1", secret: "s", isOpen: false };
  const heard: string[] = [];
  const { promise: handedOver, resolve } = Promise.withResolvers<void>();
  const child = spawnProgram({
    args: [LOCAL_NODE_COMMAND],
    onMessage: (value) => {
      const { type } = LocalNodeMessage.parse(value);
      heard.push(type);
      if (type === "handed_over") resolve();
      if (type !== "hello") return;
      send({ type: "settings", settings, balancer, occupiedMemory: {} });
      send({ type: "hand_over" });
    },
    onLine: () => undefined,
  });
  const send = (message: ParentMessage) => child.send(message);
  try {
    await Promise.race([handedOver, Bun.sleep(4000)]);
    expect(heard).toContain("handed_over");
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
});

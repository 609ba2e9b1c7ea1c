import { f32, type Tensor, text, writeGguf } from "../../scripts/bench/rig/gguf.ts";

/** Of the built-in model. */
const [LAYERS, WIDTH, FEED_FORWARD] = [6, 256, 512];
const RANK = 32;

/** Writes a LoRA adapter for the built-in model, with random weights: its answers are nonsense. */
export function writeTinyAdapter(path: string): void {
  const metadata = new Map([
    ["general.type", text("adapter")],
    ["general.architecture", text("llama")],
    ["adapter.type", text("lora")],
    ["adapter.lora.alpha", f32(RANK)],
  ]);
  const tensors: Tensor[] = [];
  for (let layer = 0; layer < LAYERS; layer += 1) {
    const name = `blk.${layer}.ffn_down.weight`;
    const part = (suffix: string, shape: number[]): Tensor => ({
      ...{ name: `${name}.${suffix}`, shape },
      ...{ type: "q8_0", scale: 1 },
    });
    tensors.push(part("lora_a", [FEED_FORWARD, RANK]), part("lora_b", [RANK, WIDTH]));
  }
  writeGguf(path, { metadata, tensors });
}

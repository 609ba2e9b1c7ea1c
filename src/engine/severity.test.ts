import { expect, test } from "bun:test";
import { severityOf } from "./severity.ts";

test("the severity of a line follows llama.cpp's level", () => {
  expect(severityOf(4, "failed")).toBe("error");
  expect(severityOf(3, "retrying with smaller batch size")).toBe("warn");
  expect(severityOf(2, "loaded")).toBe("debug");
});

test("what a request may cause is neither an error nor a warning", () => {
  const line = "request (200010 tokens) exceeds the available context size (2048 tokens), try";
  expect(severityOf(4, `srv    send_error: task id = 7, error: ${line} increasing it`)).toBe(
    "debug",
  );
  const cached = [
    "slot operator(): id  1 | task 9 | need to evaluate at least 1 token for each active slot",
    "slot operator(): id  1 | task 9 | n_past was set to 17",
  ];
  for (const line of cached) expect(severityOf(3, line)).toBe("debug");
});

test("warnings that come with every start or cancellation are no warnings", () => {
  const lines = [
    "llama_init: model default pooling_type is [0], but [1] was specified",
    "llama_context: n_ctx_seq (4096) > n_ctx_train (2048) -- possible training context overflow",
    "srv load_model: the slot context (4096) exceeds the training context of the model (2048)",
    "srv stop: cancel task, id_task = 3",
  ];
  for (const line of lines) expect(severityOf(3, line)).toBe("debug");
});

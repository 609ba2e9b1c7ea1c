import { expect, test } from "bun:test";
import { Progress } from "./progress.ts";

test("progress tells bytes, rate and time left", () => {
  let nowMs = 0;
  const progress = new Progress("m", () => nowMs);
  progress.expect("a", 10_000);
  progress.expect("b", null);
  expect(progress.snapshot()).toMatchObject({ state: "waiting", eta_s: null, bytes: 0 });
  progress.file("a", "downloading", 2000);
  for (let i = 0; i < 8; i += 1) {
    progress.received("a", 500);
    nowMs += 500;
  }
  const now = progress.snapshot();
  expect(now).toMatchObject({ state: "downloading", file: "a", bytes: 6000, total_bytes: 10_000 });
  expect(now.rate_bytes_per_s).toBe(875);
  expect(now.eta_s).toBe(5);
  progress.file("a", "done", 10_000);
  progress.file("b", "verifying", 5);
  expect(progress.snapshot().state).toBe("verifying");
  progress.end(null);
  expect(progress.snapshot()).toMatchObject({ state: "done", rate_bytes_per_s: 0, eta_s: 0 });
});

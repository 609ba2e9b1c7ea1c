import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkTag, sectionsOf } from "./history.ts";

/** Gives a repository that is gone afterwards: what runs git there, and what makes a commit. */
async function inRepository(work: (repository: Repository) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "llmlb-history-"));
  const git = (...args: string[]) => {
    const who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"];
    const env = { ...process.env, GIT_COMMITTER_DATE: "2026-01-02T00:00:00Z" };
    const done = Bun.spawnSync(["git", "-C", folder, ...who, ...args], { env });
    expect([args[0], done.exitCode, done.stderr.toString()]).toEqual([args[0], 0, ""]);
  };
  const commit = (subject: string) => git("commit", "-q", "--allow-empty", "-m", subject);
  try {
    git("init", "-q");
    await work({ folder, git, commit });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Repository {
  folder: string;
  git(...args: string[]): void;
  commit(subject: string): void;
}

test("each version has the commits since the tag before it", async () => {
  await inRepository(async ({ folder, git, commit }) => {
    commit("http: first");
    git("tag", "v0.1.0");
    commit("http: second");
    git("tag", "nightly");
    commit("http: third");
    git("tag", "v0.10.0");
    commit("http: fourth");
    const released = { version: "0.11.0", date: "2026-11-26" };
    const sections = [
      { ...released, subjects: ["http: fourth"] },
      { version: "0.10.0", date: "2026-01-02", subjects: ["http: third", "http: second"] },
      { version: "0.1.0", date: "2026-01-02", subjects: ["http: first"] },
    ];
    expect(await sectionsOf(folder, released)).toEqual(sections);
    git("tag", "v0.11.0");
    expect(await sectionsOf(folder, released)).toEqual(sections);
  });
});

test("one to try comes before the version that it was for", async () => {
  await inRepository(async ({ folder, git, commit }) => {
    for (const [tag, subject] of [
      ["v0.1.0", "http: first"],
      ["v0.2.0-rc.1", "http: second"],
      ["v0.2.0", "http: third"],
    ] as const) {
      commit(subject);
      git("tag", tag);
    }
    commit("http: fourth");
    const sections = await sectionsOf(folder, { version: "0.3.0", date: "2026-11-26" });
    expect(sections.map(({ version, subjects }) => [version, ...subjects])).toEqual([
      ["0.3.0", "http: fourth"],
      ["0.2.0", "http: third"],
      ["0.2.0-rc.1", "http: second"],
      ["0.1.0", "http: first"],
    ]);
  });
});

test("a tag that names another version is refused", () => {
  checkTag("v0.2.0", "0.2.0");
  expect(() => checkTag("v0.2.1", "0.2.0")).toThrow("package.json has version 0.2.0");
  expect(() => checkTag("0.2.0", "0.2.0")).toThrow("Tag v0.2.0");
});

import { expect, test } from "bun:test";
import { changelogOf, notesOf } from "./changelog.ts";

const section = (subjects: string[]) => ({ version: "0.2.0", date: "2026-11-26", subjects });

test("commits stand under their area, and what users do not notice comes last", () => {
  const newer = section([
    "specs: it waits for the line",
    "http: answers are shorter",
    "docs, balancer: one word for it",
    "all is one piece",
    "balancer: a stream goes on: it does not break",
    "http: answers are shorter",
  ]);
  const older = { version: "0.1.0", date: "2026-10-01", subjects: [] };
  expect(changelogOf([newer, older])).toBe(`# Changelog

## 0.2.0 (2026-11-26)

### balancer

- one word for it
- a stream goes on: it does not break

### http

- answers are shorter

### Other

- all is one piece

### Development

- specs: it waits for the line

## 0.1.0 (2026-10-01)

Nothing has changed.
`);
});

test("the notes of a feed are a version's part, and never too long for it", () => {
  expect(notesOf(section(["http: a", "db: b"]))).toBe("### db\n\n- b\n\n### http\n\n- a\n");
  const long = notesOf(section(Array.from({ length: 1000 }, (_, i) => `http: change ${i} of it`)));
  expect(long.length).toBeLessThan(10_000);
  expect(long.length).toBeGreaterThan(8_000);
  expect(long).toEndWith("of it\n- …\n");
});

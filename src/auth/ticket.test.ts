import { expect, test } from "bun:test";
import { isTicket, signTicket } from "./ticket.ts";

const FILES = { kind: "files", subject: "hf/org/m" } as const;
const DEVICES = { kind: "devices", subject: "" } as const;

test.each([FILES, DEVICES])("a ticket opens $kind with its key, until it expires", (its) => {
  const ticket = signTicket({ ...its, expiresAt: 1000 }, "key");
  const other = its === FILES ? DEVICES : FILES;
  expect(isTicket(ticket, its, "key", 1000)).toBe(true);
  expect(isTicket(ticket, its, "key", 1001)).toBe(false);
  expect(isTicket(ticket, { ...its, subject: "hf/org/other" }, "key", 1)).toBe(false);
  expect(isTicket(ticket, other, "key", 1)).toBe(false);
  expect(isTicket(ticket.replace(its.kind, other.kind), other, "key", 1)).toBe(false);
  expect(isTicket(ticket, its, "another key", 1)).toBe(false);
});

const ticket = signTicket({ ...FILES, expiresAt: 1000 }, "key");

test("a ticket whose time was changed is none, nor is any other text", () => {
  expect(isTicket(ticket.replace(".1000.", ".9000."), FILES, "key", 1)).toBe(false);
  for (const text of ["", "key", "files.1.x", `${ticket}x`, ticket.slice(0, -1)]) {
    expect(isTicket(text, FILES, "key", 1)).toBe(false);
  }
});

test("a ticket does not tell the key", () => {
  expect(ticket).not.toContain("key");
});

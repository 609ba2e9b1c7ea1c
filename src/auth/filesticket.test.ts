import { expect, test } from "bun:test";
import { isFilesTicket, signFilesTicket } from "./filesticket.ts";

const permit = { model: "hf/org/m", expiresAt: 1000 };
const ticket = signFilesTicket(permit, "key");

test("a ticket is good for its model, with its key, until it expires", () => {
  expect(isFilesTicket(ticket, "hf/org/m", "key", 1000)).toBe(true);
  expect(isFilesTicket(ticket, "hf/org/m", "key", 1001)).toBe(false);
  expect(isFilesTicket(ticket, "hf/org/other", "key", 1)).toBe(false);
  expect(isFilesTicket(ticket, "hf/org/m", "another key", 1)).toBe(false);
});

test("a ticket whose time was changed is none, nor is any other text", () => {
  expect(isFilesTicket(ticket.replace(".1000.", ".9000."), "hf/org/m", "key", 1)).toBe(false);
  for (const text of ["", "key", "files.1.x", `${ticket}x`, ticket.slice(0, -1)]) {
    expect(isFilesTicket(text, "hf/org/m", "key", 1)).toBe(false);
  }
});

test("a ticket does not tell the key", () => {
  expect(ticket).not.toContain("key");
});

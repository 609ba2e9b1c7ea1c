import { expect, test } from "bun:test";
import { parseAddress } from "./address.ts";

test.each([
  ["http://Host:80/", "http://host"],
  ["HTTPS://host:443/v1", "https://host"],
  ["http://host:8080//", "http://host:8080"],
  ["http://host/api/v1/", "http://host/api"],
  ["http://user:pw@host/", "http://host"],
  [" http://[::1]:80/ ", "http://[::1]"],
  ["http://host/v10", "http://host/v10"],
])("the address %s is unique as %s", (text, key) => {
  expect(parseAddress(text).key).toBe(key);
  expect(parseAddress(text).shown).not.toContain("@");
});

test("what is no http address is refused", () => {
  for (const text of ["", "host", "ftp://host", "file:///x"]) {
    expect(() => parseAddress(text)).toThrow(TypeError);
  }
});

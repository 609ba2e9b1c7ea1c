import { describe, expect, test } from "bun:test";
import { type ConfigInput, loadConfig } from "../../testkit/config.ts";

describe("endpoints", () => {
  const urls: [string, object][] = [
    ["http://gpu1:8080", { name: "gpu1:8080", url: "http://gpu1:8080" }],
    ["http://v1", { name: "v1", url: "http://v1" }],
    ["http://gpu1:8080/v1/", { name: "gpu1:8080", url: "http://gpu1:8080" }],
    ["big=https://host/api/v1", { name: "big", url: "https://host/api" }],
    ["http://sk-1%2F@host", { name: "host", url: "http://host", apiKey: "sk-1/" }],
    [
      "http://user:pa%ss@host",
      { name: "host", url: "http://host", apiKey: "Basic dXNlcjpwYSVzcw==" },
    ],
    ["http://:sk-1@host", { name: "host", url: "http://host", apiKey: "sk-1" }],
    ["z=https://z/api/paas/v4/", { name: "z", url: "https://z/api/paas/v4" }],
  ];
  test.each(urls)("reads %s", (text, expected) => {
    expect(loadConfig({ flags: { endpoints: [text] } }).settings.endpoints).toEqual([
      expected as never,
    ]);
  });

  test("come from a list, a JSON list, or objects in the file", () => {
    const list = "http://a, b=http://c";
    const expected = [
      { name: "a", url: "http://a" },
      { name: "b", url: "http://c" },
    ];
    const json = JSON.stringify(expected);
    expect(loadConfig({ env: { LLMLB_ENDPOINTS: list } }).settings.endpoints).toEqual(expected);
    expect(loadConfig({ env: { LLMLB_ENDPOINTS: json } }).settings.endpoints).toEqual(expected);
    const models = ["m"];
    const endpoints = [{ name: "x", url: "http://c/v1", api_key: "sk-1", models }, "http://d"];
    expect(loadConfig({ config: { endpoints } }).settings.endpoints).toEqual([
      { name: "x", url: "http://c", apiKey: "sk-1", models },
      { name: "d", url: "http://d" },
    ]);
  });

  const bad: [ConfigInput, string][] = [
    [{ flags: { endpoints: ["http://ok", "gpu1"] } }, "--endpoint gpu1: must be a URL such as"],
    [{ flags: { endpoints: ["ftp://sk-1@a"] } }, "--endpoint ftp://***@a: must be a URL that"],
    [{ flags: { endpoints: ["http://a?x"] } }, "must be a base URL without"],
    [{ flags: { endpoints: ["http://a", "http://a"] } }, 'two endpoints are named "a"'],
    [{ flags: { endpoints: ["local=http://a"] } }, 'the name "local" is taken'],
    [{ config: { endpoints: [{ url: "http://a", key: "x" }] } }, '"key"'],
    [{ config: { endpoints: [{ url: "http://a", models: [""] }] } }, "must be a list of names"],
    [{ config: { endpoints: [{ url: "a", api_key: "sk-1" }] } }, '"api_key":"***"'],
  ];
  test.each(bad)("refuses %j", (given, message) => {
    expect(() => loadConfig(given)).toThrow(message);
  });
});

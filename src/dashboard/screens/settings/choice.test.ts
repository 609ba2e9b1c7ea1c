import { expect, test } from "bun:test";
import type { SettingView } from "../../../wire/settings.ts";
import { chosenSettings } from "./choice.ts";

function setting(name: string, more: Partial<SettingView> = {}): SettingView {
  return {
    ...{ name, group: "Server", help: `About ${name}`, flags: `--${name} <x>`, text: "1" },
    ...{ variable: `LLMLB_${name.toUpperCase()}`, in_file: true, secret: false, reload: false },
    ...{ source: "default" as const, from: "default" },
    ...more,
  };
}

const ALL = [
  setting("port", { source: "flag", from: "--port", text: "8080" }),
  setting("host"),
  setting("strategy", { group: "Endpoints", source: "file", from: "/data/config.json: strategy" }),
  setting("queue", { group: "Limits", source: "env", from: "LLMLB_QUEUE" }),
];
const namesFor = (search: string, source = "") =>
  chosenSettings(ALL, { search, source }, ({ help }) => help).flatMap(({ settings }) =>
    settings.map(({ name }) => name),
  );

test.each([
  ["", "", ["port", "host", "strategy", "queue"]],
  ["", "set", ["port", "strategy", "queue"]],
  ["", "flag", ["port"]],
  ["", "default", ["host"]],
  ["", "nonsense", ["port", "host", "strategy", "queue"]],
  ["LLMLB_port", "", ["port"]],
  ["about 8080", "", ["port"]],
  ["CONFIG.json", "", ["strategy"]],
  ["about", "env", ["queue"]],
  ["nothing", "", []],
])("searching %j among %j finds %p", (search, source, expected) => {
  expect(namesFor(search, source)).toEqual(expected);
});

test("settings stand below their headings, in their order", () => {
  const groups = chosenSettings(ALL, { search: "", source: "" }, () => "");
  expect(groups.map(({ name, settings }) => [name, settings.length])).toEqual([
    ["Server", 2],
    ["Endpoints", 1],
    ["Limits", 1],
  ]);
});

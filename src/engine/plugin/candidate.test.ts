import { expect, test } from "bun:test";
import { candidateFor, type HostFacts, type PluginFacts } from "./candidate.ts";

const nowhere: HostFacts = { vendors: [], hasDriver: false, isNamed: false };
const amd = { ...nowhere, vendors: ["AMD"], hasDriver: true };
const nvidia = { ...nowhere, vendors: ["NVIDIA"] };
const container = { ...nowhere, hasDriver: true };
const named = { ...nowhere, isNamed: true };

const absent: PluginFacts = {
  name: "vulkan",
  ...{ isEmbedded: false, isOff: false, isInstalled: false, isReplaced: false },
};
const embedded = { ...absent, isEmbedded: true };
const off = { ...embedded, isOff: true };
const installed = { ...absent, isInstalled: true };
const cuda: PluginFacts = { ...absent, name: "cuda" };

test.each([
  ["embedded, without a GPU", embedded, nowhere, "skip"],
  ["embedded, with a GPU", embedded, amd, "try warn"],
  ["embedded, with a GPU that lacks a driver", embedded, nvidia, "try warn"],
  ["embedded, in a container that hides the bus", embedded, container, "try debug"],
  ["embedded, with devices named", embedded, named, "try warn"],
  ["embedded, and replaced by one of the user's", { ...embedded, isReplaced: true }, amd, "skip"],
  ["installed besides the user's", { ...installed, isReplaced: true }, amd, "try warn"],
  ["removed by hand", off, amd, "skip"],
  ["installed", installed, nowhere, "try warn"],
  ["absent", absent, amd, "ignore"],
  ["CUDA that could be installed", cuda, nvidia, "skip"],
  ["CUDA without a GPU for it", cuda, amd, "ignore"],
  ["CUDA that is embedded", { ...cuda, isEmbedded: true }, nvidia, "try warn"],
  ["CUDA that is embedded, without a GPU for it", { ...cuda, isEmbedded: true }, amd, "skip"],
  ["CUDA that is embedded, in a container", { ...cuda, isEmbedded: true }, container, "try debug"],
  ["CUDA that is installed", { ...cuda, isInstalled: true }, nowhere, "try warn"],
] as const)("a backend that is %s", (_, plugin, host, expected) => {
  const candidate = candidateFor(plugin, host as HostFacts);
  const level = candidate.action === "try" ? ` ${candidate.level}` : "";
  expect(candidate.action + level).toBe(expected);
});

test("what is skipped has a reason and a way out", () => {
  const reasonOf = (plugin: PluginFacts, host: HostFacts) => {
    const candidate = candidateFor(plugin, host);
    return candidate.action === "skip" ? candidate.reason : "";
  };
  expect(reasonOf(off, amd)).toContain("llmlb backend install vulkan");
  expect(reasonOf(cuda, nvidia)).toContain("llmlb backend install cuda");
  expect(reasonOf(embedded, nowhere)).toContain("no GPU");
});

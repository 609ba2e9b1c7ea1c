import { expect, test } from "bun:test";
import { platformName, releaseFeed, releaseKeys, releaseVariant } from "./release.ts";

test("platforms have the names of builds", () => {
  expect(platformName("win32", "x64")).toBe("windows-x64");
  expect(platformName("darwin", "arm64")).toBe("darwin-arm64");
});

test("run from source, it is for this machine, believes nobody and knows no feed", () => {
  expect(releaseVariant()).toBe(platformName(process.platform, process.arch));
  expect(releaseKeys()).toEqual([]);
  expect(releaseFeed()).toBeNull();
});

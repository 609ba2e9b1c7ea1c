import { expect, test } from "bun:test";
import { CONFIGURATION_PAGE, configurationPage } from "./docs.ts";

test("docs/configuration.md has the settings as they are", async () => {
  const written = await Bun.file(CONFIGURATION_PAGE).text();
  expect(written === configurationPage(), "it is stale: npm run docs").toBe(true);
});

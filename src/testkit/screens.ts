import type { Page } from "playwright-core";

/** Goes to a screen of the dashboard, and waits until it shows what it has. */
export async function visitScreen(page: Page, path: string): Promise<void> {
  await page.goto(`/dashboard${path}`);
  await page.locator("h1").first().waitFor();
  await page.locator("main .state .spinner").first().waitFor({ state: "detached" });
}

/** Where a link of the screen that is open leads that has such an address: `/endpoints/$id`. */
export async function addressBelow(page: Page, path: string): Promise<string | undefined> {
  const wanted = new RegExp(`^/dashboard(${path.replaceAll(/\$\w+/g, "[^/]+")})$`);
  const links = page.locator("main a");
  await links.first().waitFor();
  const paths = await links.evaluateAll((all) =>
    all.map((one) => (one as HTMLAnchorElement).pathname),
  );
  return paths.map((one) => wanted.exec(one)?.[1]).find((address) => address !== undefined);
}

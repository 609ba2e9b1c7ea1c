import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../testkit/config.ts";
import { effectiveSettings } from "../effective.ts";
import { exemptLoopback } from "../values/proxy.ts";

describe("proxies", () => {
  test("take the names of the environment that everybody knows, weaker than our own", () => {
    const env = {
      HTTP_PROXY: "proxy",
      https_proxy: "http://a:b@safe:1/",
      NO_PROXY: "a, .b 10.0.0.0/8",
    };
    const { settings, origins } = loadConfig({ env });
    expect(settings.httpProxy).toBe("http://proxy:80");
    expect(settings.httpsProxy).toBe("http://a:b@safe:1");
    expect(settings.proxyBypass).toEqual(["a", ".b", "10.0.0.0/8"]);
    expect(origins.httpProxy).toEqual({ source: "env", name: "HTTP_PROXY" });
    const none = loadConfig({
      env: { ...env, LLMLB_HTTP_PROXY: "none" },
      flags: { proxyBypass: "*" },
    });
    expect(none.settings.httpProxy).toBeNull();
    expect(none.settings.proxyBypass).toEqual(["*"]);
    const config = { http_proxy: "http://p:2", proxy_bypass: ["x"] };
    expect(loadConfig({ config }).settings).toMatchObject({
      httpProxy: "http://p:2",
      proxyBypass: ["x"],
    });
  });

  test.each(["socks5://p:1", "https://p", "http://p/path", "http://", ""])(
    "are refused where they are none that we speak with: %j",
    (given) => {
      const failing = () => loadConfig({ flags: { httpsProxy: given } });
      expect(failing).toThrow(
        "must be the URL of an HTTP proxy such as http://proxy:3128, or none",
      );
    },
  );

  test("do not show their passwords", () => {
    const shown = effectiveSettings(loadConfig({ env: { HTTPS_PROXY: "http://me:secret@p:1" } }));
    const row = shown.find(({ name }) => name === "https_proxy");
    expect(row?.text).toBe("http://***@p:1");
    expect(() => loadConfig({ flags: { httpProxy: "ftp://me:secret@p" } })).toThrow(
      /^(?!.*secret)/,
    );
  });

  test("of the environment are not used for this machine", () => {
    const env: Record<string, string | undefined> = { no_proxy: "a" };
    exemptLoopback(env);
    expect(env).toEqual({ no_proxy: "a" });
    env.HTTP_PROXY = "http://p";
    exemptLoopback(env);
    expect(env.NO_PROXY).toBe("a,localhost,127.0.0.1,::1,[::1]");
    expect(env.no_proxy).toBe(env.NO_PROXY);
  });
});

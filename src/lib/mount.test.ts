import { expect, test } from "bun:test";
import { findMount, mountOf } from "./mount.ts";

const TEXT = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
30 27 8:1 / /srv/my\\040data rw,noexec,nosuid shared:1 - xfs /dev/sda1 rw
31 27 8:2 / /srv/my rw - xfs /dev/sda2 rw
32 27 8:3 / /srv/my ro - xfs /dev/sda3 ro
`;

test.each([
  ["/srv/my data/home", "/srv/my data", ["rw", "noexec", "nosuid"]],
  ["/srv/my data", "/srv/my data", ["rw", "noexec", "nosuid"]],
  ["/srv/my", "/srv/my", ["ro"]],
  ["/srv/mydata", "/", ["rw", "relatime"]],
])("the mount of %s is at %s", (path, point, options) => {
  expect(findMount(TEXT, path)).toEqual({ point, options });
});

test("text that is none has no mount, and this system's own has one", () => {
  expect(findMount("what\n\n", "/")).toBeUndefined();
  if (process.platform === "linux") expect(mountOf("/proc")?.point).toBe("/proc");
  expect(mountOf("/none/at/all")).toBeUndefined();
});

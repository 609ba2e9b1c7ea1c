import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writePrivateFile } from "../../lib/privatefile.ts";

/** The content of `node.json` in the data folder. Only the file's owner may read it. */
const Identity = z.object({
  node_id: z.uuid(),
  /** The key that clients have to send if the node requires one. */
  key: z.string().min(1),
  /** The balancer that the node is enrolled at. */
  joined: z
    .object({
      balancer: z.string(),
      credential: z.string(),
      endpoint_id: z.string(),
      /** Of the certificate that it showed, if no authority vouches for it. */
      fingerprint: z.string().optional(),
    })
    .optional(),
});
export type Identity = z.infer<typeof Identity>;

/** Reads this node's identity, or creates one. Throws if the file is damaged or not writable. */
export function openIdentity(home: string): Identity {
  const path = join(home, "node.json");
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    const key = `sk_node_${randomBytes(32).toString("base64url")}`;
    const identity = { node_id: crypto.randomUUID(), key };
    saveIdentity(home, identity);
    return identity;
  }
  try {
    return Identity.parse(JSON.parse(text));
  } catch (cause) {
    const advice = "Restore it, or remove it and enrol the node again.";
    throw new Error(`Reading ${path} failed: it is damaged. ${advice}`, { cause });
  }
}

/** Replaces the file atomically. Throws if it cannot be written. */
export function saveIdentity(home: string, identity: Identity): void {
  const path = join(home, "node.json");
  mkdirSync(home, { recursive: true, mode: 0o700 });
  writePrivateFile(path, `${JSON.stringify(identity, null, 2)}\n`);
}

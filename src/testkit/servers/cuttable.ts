import { connect, createServer, type Socket } from "node:net";

/** A way to a server that a test cuts: connections break, and none is made until it is mended. */
export interface CuttableWay extends Disposable {
  url: string;
  cut(): void;
  mend(): void;
}

/** Opens such a way to the server at `url`, on a free port. */
export async function cuttableWay(url: string): Promise<CuttableWay> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) {
      client.resetAndDestroy();
      return;
    }
    const target = connect(Number(port), hostname);
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("It has no port.");
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut() {
      isCut = true;
      breakAll();
    },
    mend() {
      isCut = false;
    },
    [Symbol.dispose]() {
      breakAll();
      server.close();
    },
  };
}

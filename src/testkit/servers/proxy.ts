import type { Socket } from "bun";
import type { ForwardProxy } from "../../http/client/proxy.ts";
import { rawAnswer } from "./tcp.ts";

/** A forward proxy on a free port. */
export interface FakeProxy extends Disposable {
  proxy: ForwardProxy;
  /** The heads of what it was asked, in order. */
  asked: string[];
  /** Tunnels that are open. */
  tunnels: number;
}

interface State {
  server?: Socket<{ client: Socket<State> }>;
  /** What one side has not taken yet; the other one rests meanwhile. */
  unsent: Buffer;
}

/**
 * Starts one. Tunnels lead to `port` of this machine, whatever name was asked for; anything else is
 * answered by `answer`, by default with what was asked.
 */
export function fakeProxy(
  port: number,
  answer: (asked: string) => string | undefined = () => undefined,
): FakeProxy {
  const listener = Bun.listen<State>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => {
        socket.data = { unsent: Buffer.alloc(0) };
      },
      data: async (socket, bytes) => {
        if (socket.data.server !== undefined) return void socket.data.server.write(bytes);
        const head = bytes.toString("latin1");
        fake.asked.push(head);
        const answered = answer(head);
        if (answered !== undefined) return void socket.write(answered);
        if (!head.startsWith("CONNECT ")) return void socket.write(rawAnswer(head));
        socket.data.server = await tunnelTo(port, socket);
        fake.tunnels += 1;
        socket.write("HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n");
      },
      drain: (socket) => pass(socket, Buffer.alloc(0)),
      close: (socket) => {
        if (socket.data.server !== undefined) fake.tunnels -= 1;
        socket.data.server?.end();
      },
      error: () => undefined,
    },
  });
  const origin = `http://127.0.0.1:${listener.port}`;
  const fake: FakeProxy = {
    proxy: { origin, hostname: "127.0.0.1", port: listener.port },
    asked: [],
    tunnels: 0,
    [Symbol.dispose]: () => listener.stop(true),
  };
  return fake;
}

function tunnelTo(port: number, client: Socket<State>) {
  return Bun.connect<{ client: Socket<State> }>({
    hostname: "127.0.0.1",
    port,
    data: { client },
    socket: {
      data: (socket, bytes) => pass(socket.data.client, bytes),
      close: (socket) => void socket.data.client.end(),
      error: () => undefined,
    },
  });
}

/** Passes bytes to a client at its pace. */
function pass(client: Socket<State>, bytes: Buffer): void {
  const all = Buffer.concat([client.data.unsent, bytes]);
  const count = Math.max(0, client.write(all));
  client.data.unsent = all.subarray(count);
  if (client.data.unsent.length > 0) client.data.server?.pause();
  else client.data.server?.resume();
}

import { connect } from "node:net";

/** A request that has arrived only in part. */
export interface SlowRequest {
  /** Sends the rest, and settles with the status of its answer. */
  finish(): Promise<number>;
}

/** Begins a POST request: its head, and the first bytes of its body. */
export async function beginRequest(
  url: string,
  { body, type = "application/json" }: { body: Uint8Array; type?: string },
): Promise<SlowRequest> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  const head = [
    `POST ${pathname} HTTP/1.1`,
    ...[`host: ${hostname}:${port}`, `content-type: ${type}`, `content-length: ${body.length}`],
    ...["connection: close", "", ""],
  ];
  socket.write(head.join("\r\n"));
  socket.write(body.subarray(0, 1));
  const answer = new Promise<number>((resolve, reject) => {
    let received = "";
    socket.on("data", (bytes) => {
      received += bytes.toString("latin1");
    });
    socket.on("close", () => resolve(Number(received.split(" ")[1])));
    socket.on("error", reject);
  });
  return {
    finish() {
      socket.write(body.subarray(1));
      return answer;
    },
  };
}

import { type RawConnection, rawAnswer, rawTarget } from "./tcp.ts";

/** A chat that a rude endpoint was asked for. */
export interface RudeChat {
  model: string;
  streams: boolean;
  /** The request's body as it came. */
  text: string;
  connection: RawConnection;
}

/** An endpoint that speaks chat completions only, and does with them what it likes. */
export interface RudeEndpoint extends Disposable {
  url: string;
  /** The chats that it was asked for. */
  chats: RudeChat[];
}

/** Starts it on a free port. It lists `models`; `act` answers chats, or does not. */
export function rudeEndpoint(models: string[], act: (chat: RudeChat) => void): RudeEndpoint {
  const chats: RudeChat[] = [];
  const list = JSON.stringify({ object: "list", data: models.map((id) => ({ id })) });
  const target = rawTarget((connection) => {
    const { received } = connection;
    if (received.startsWith("GET /v1/models ")) return connection.send(rawAnswer(list));
    const text = received.slice(received.indexOf("\r\n\r\n") + 4);
    const isChat = received.startsWith("POST /v1/chat/completions ") && text.includes('"model"');
    if (!isChat) return connection.send(rawAnswer("no", "text/plain", "404 Not Found"));
    const { model, stream } = JSON.parse(text) as { model: string; stream?: boolean };
    const chat = { model, streams: stream === true, text, connection };
    chats.push(chat);
    act(chat);
  });
  return { url: target.url, chats, [Symbol.dispose]: () => target[Symbol.dispose]() };
}

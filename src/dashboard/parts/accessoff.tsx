import { useMe } from "../api/account.ts";

/** Says what does not apply here, as nobody needs to log in. */
export function AccessOff({ text }: { text: string }) {
  const me = useMe();
  if (me.data?.access !== "off") return null;
  return <div className="note">{text}</div>;
}

import { useFormat } from "../text/format.ts";

/** A time in words of how far away it is; the time itself is told by the mouse. */
export function Ago({ at, none }: { at: string | null; none: string }) {
  const format = useFormat();
  if (at === null) return none;
  return (
    <time dateTime={at} title={format.time(at)}>
      {format.ago(at)}
    </time>
  );
}

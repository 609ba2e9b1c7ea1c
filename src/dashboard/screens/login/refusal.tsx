/** Why what was tried on the log-in page came to nothing. */
export function Refusal({ title, text }: { title: string; text: string }) {
  return (
    <div className="note is-bad" role="alert">
      <strong>{title}</strong> {text}
    </div>
  );
}

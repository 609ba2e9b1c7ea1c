import { CopyLink } from "../../parts/copy.tsx";

/** Code of an answer, with its language and a button that copies it. */
export function Code({ text, language }: { text: string; language: string }) {
  return (
    <div className="code-block">
      <div className="code-head">
        <span>{language}</span>
        <CopyLink text={text} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keys as well */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </div>
  );
}

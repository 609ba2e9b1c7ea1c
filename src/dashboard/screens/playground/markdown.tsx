import Markdown, { type Components } from "react-markdown";

/**
 * A model's answer. What it writes is never markup of the page: HTML in it is shown as text,
 * addresses other than of the web lead nowhere, and pictures are links, so that an answer cannot
 * make the browser tell anybody anything.
 */
export function Answer({ text }: { text: string }) {
  return (
    <div className="markdown">
      <Markdown components={COMPONENTS}>{text}</Markdown>
    </div>
  );
}

const COMPONENTS: Components = {
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  ),
  img: ({ src, alt }) => (
    <a href={typeof src === "string" ? src : undefined} target="_blank" rel="noopener noreferrer">
      {alt === undefined || alt === "" ? String(src) : alt}
    </a>
  ),
};

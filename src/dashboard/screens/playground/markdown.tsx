import { Component, memo, type ReactNode } from "react";
import Markdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import type { AnswerChunk, AnswerPart } from "./blocks.ts";
import { Code } from "./code.tsx";

/**
 * A piece of a model's answer. What it writes is never markup of the page: HTML in it is shown as
 * text, addresses other than of the web lead nowhere, and pictures are links, so that an answer
 * cannot make the browser tell anybody anything.
 */
export const AnswerText = memo(
  function AnswerText({ chunk }: { chunk: AnswerChunk }) {
    return (
      <div className="markdown">
        {chunk.parts.map((part, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a part is its place
          <Part key={i} {...part} />
        ))}
      </div>
    );
  },
  (before, after) => before.chunk.source === after.chunk.source,
);

/** Drawn again only when its own text changes. */
const Part = memo(function Part({ kind, text, language }: AnswerPart) {
  if (kind === "code") return <Code text={text} language={language} />;
  const plain = <p className="plain">{text}</p>;
  if (kind === "plain") return plain;
  return (
    <Unreadable instead={plain}>
      <Markdown components={COMPONENTS} remarkPlugins={PLUGINS} urlTransform={webAddress}>
        {text}
      </Markdown>
    </Unreadable>
  );
});

const PLUGINS = [remarkGfm];

/** Only absolute addresses of the web and of mail; "" for any other. */
function webAddress(url: string): string {
  return /^(https?:\/\/|mailto:)/i.test(url) ? url : "";
}

const COMPONENTS: Components = {
  a: ({ href, children }) => <Address href={href}>{children}</Address>,
  img: ({ src, alt }) => (
    <Address href={typeof src === "string" ? src : ""}>
      {alt === undefined || alt === "" ? String(src) : alt}
    </Address>
  ),
  pre: ({ node }) => {
    const [code] = node?.children ?? [];
    if (code?.type !== "element") return null;
    const classes = code.properties.className;
    const language = Array.isArray(classes) ? String(classes[0] ?? "") : "";
    const text = code.children.map((one) => (one.type === "text" ? one.value : "")).join("");
    return <Code text={text.replace(/\n$/, "")} language={language.replace(/^language-/, "")} />;
  },
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keys as well
    <div className="markdown-table" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
  input: ({ checked }) => <span aria-hidden="true">{checked === true ? "☑ " : "☐ "}</span>,
};

function Address({ href, children }: { href: string | undefined; children: ReactNode }) {
  if (href === undefined || href === "") return <span>{children}</span>;
  return (
    <a href={href} title={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

/** What cannot be read as Markdown, as what is nested too deeply, is shown as it is. */
class Unreadable extends Component<{ instead: ReactNode; children: ReactNode }> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override render() {
    return this.state.isBroken ? this.props.instead : this.props.children;
  }
}

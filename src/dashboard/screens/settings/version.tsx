import type { VersionsView } from "../../../wire/settings.ts";
import { NOTHING } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { settingsTexts } from "./texts.ts";
import { differingParts, type VersionPart } from "./versions.ts";

interface VersionProps {
  part: VersionPart;
  own: VersionsView;
  versions: VersionsView;
}

/** A version of a node, marked where the balancer's is another. */
export function Version({ part, own, versions }: VersionProps) {
  const t = useTexts(settingsTexts);
  const isOther = differingParts(own, versions).includes(part);
  if (!isOther) return versions[part] ?? NOTHING;
  return (
    <span className="is-other" title={t("differs")}>
      {versions[part]}
    </span>
  );
}

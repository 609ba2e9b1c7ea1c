import { IconButton } from "../../parts/button.tsx";
import { useTexts } from "../../text/i18n.ts";
import type { Picture } from "./conversation.ts";
import { playgroundTexts } from "./texts.ts";

interface ThumbnailsProps {
  images: readonly Picture[];
  /** Without it, they stay. */
  onRemove?(id: string): void;
}

/** Images of a message, small. */
export function Thumbnails({ images, onRemove }: ThumbnailsProps) {
  const t = useTexts(playgroundTexts);
  if (images.length === 0) return null;
  return (
    <ul className="thumbnails">
      {images.map(({ id, name, url }) => (
        <li key={id} className="thumbnail">
          <img src={url} alt={name} title={name} />
          {onRemove !== undefined && (
            <IconButton icon="close" label={t("remove", { name })} onClick={() => onRemove(id)} />
          )}
        </li>
      ))}
    </ul>
  );
}

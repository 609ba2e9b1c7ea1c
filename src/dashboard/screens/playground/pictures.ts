import type { Picture } from "./conversation.ts";

/** What the server takes: `specs/vision.md`. */
export const PICTURE_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const PICTURE_BYTES_MAX = 10 * 1024 * 1024;
const PICTURES_MAX = 10;

/** Why a file cannot be sent as an image. */
export type PictureFault = "type" | "size" | "number";

/** Whether a file may join those that are there already; undefined: yes. */
export function pictureFault(
  { type, size }: { type: string; size: number },
  there: number,
): PictureFault | undefined {
  if (!PICTURE_TYPES.includes(type)) return "type";
  if (size > PICTURE_BYTES_MAX) return "size";
  return there >= PICTURES_MAX ? "number" : undefined;
}

/** A file as an image of a message. */
export function readPicture(file: File): Promise<Picture> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onerror = () => reject(reader.error);
    reader.onload = () => {
      resolve({ id: crypto.randomUUID(), name: file.name, url: String(reader.result) });
    };
    reader.readAsDataURL(file);
  });
}

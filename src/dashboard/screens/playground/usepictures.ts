import { useState } from "react";
import type { Picture } from "./conversation.ts";
import { type PictureFault, pictureFault, readPicture } from "./pictures.ts";

/** The images of a message that is written, and why the last one did not join them. */
export function usePictures() {
  const [images, setImages] = useState<readonly Picture[]>([]);
  const [fault, setFault] = useState<{ kind: PictureFault; name: string }>();
  const add = async (files: FileList) => {
    if (files.length === 0) return;
    setFault(undefined);
    let there = images.length;
    // The list is the browser's own and may be emptied meanwhile.
    for (const file of [...files]) {
      const kind = pictureFault(file, there);
      if (kind !== undefined) {
        setFault({ kind, name: file.name });
        continue;
      }
      there += 1;
      const picture = await readPicture(file);
      setImages((now) => [...now, picture]);
    }
  };
  return {
    ...{ images, fault },
    add: (files: FileList) => void add(files),
    remove: (id: string) => setImages((now) => now.filter((one) => one.id !== id)),
    clear: () => {
      setImages([]);
      setFault(undefined);
    },
  };
}

/** Parts of a file (chunks, blocks) that are looked at; real images have some thousand. */
export const PARTS_MAX = 65_536;

/** The size of an image in pixels. */
export interface Extent {
  width: number;
  height: number;
}

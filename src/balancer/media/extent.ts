/** The size of an image in pixels. */
export interface Extent {
  width: number;
  height: number;
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

const GAP = 8;
const EDGE = 8;

/** Where a box of this size stands beside another one: below it, else above, within the window. */
export function placeBeside(
  target: Box,
  size: { width: number; height: number },
  view: { width: number; height: number },
): { left: number; top: number } {
  const middle = target.left + target.width / 2;
  const left = between(EDGE, middle - size.width / 2, view.width - size.width - EDGE);
  const below = target.top + target.height + GAP;
  const above = target.top - GAP - size.height;
  const fits = below + size.height <= view.height - EDGE || above < EDGE;
  return { left, top: between(EDGE, fits ? below : above, view.height - size.height - EDGE) };
}

/** The nearest value in a range; its beginning if it is empty. */
function between(from: number, value: number, to: number): number {
  return Math.max(from, Math.min(value, to));
}

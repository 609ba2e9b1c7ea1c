/** A point of a curve. */
export interface Point {
  x: number;
  y: number;
}

/** How much `y` grows for each `x`, by least squares; NaN of fewer than two points. */
export function slope(points: Point[]): number {
  const mean = (of: (point: Point) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const along = mean((point) => (point.x - x) * (point.y - y));
  return along / mean((point) => (point.x - x) ** 2);
}

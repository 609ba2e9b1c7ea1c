/** A node that lends its devices. */
export interface WorkerOffer {
  name: string;
  /** Free memory of the devices that it lends. */
  freeBytes: number;
}

/** As many as a model may name. */
const WORKERS_MAX = 16;

/**
 * The workers with which a model would fit that fits no node: as few as possible, those with the
 * most free memory first; undefined if all of them have not enough. What the head itself has free
 * comes on top, so that the model fits for certain.
 */
export function proposeWorkers(
  requiredBytes: number,
  offers: readonly WorkerOffer[],
): string[] | undefined {
  const names: string[] = [];
  let bytes = 0;
  for (const { name, freeBytes } of offers.toSorted((a, b) => b.freeBytes - a.freeBytes)) {
    if (bytes >= requiredBytes || names.length === WORKERS_MAX) break;
    names.push(name);
    bytes += freeBytes;
  }
  return bytes >= requiredBytes && names.length > 0 ? names : undefined;
}

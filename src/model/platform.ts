/** Weights prepared for the GPUs of one platform. */
export interface PreparedWeights {
  format: "metal" | "directml";
  /** `process.platform` of the machines that can use them. */
  platform: string;
}

/** The prepared weights that a model may bring along, by file name in lower case. */
export const PREPARED_WEIGHTS: Record<string, PreparedWeights> = {
  "model.metal.bin": { format: "metal", platform: "darwin" },
  "model.directml.bin": { format: "directml", platform: "win32" },
  "model.dml.bin": { format: "directml", platform: "win32" },
};

/** Whether a file is of use on a platform (`process.platform`). */
export function fitsPlatform(name: string, platform: string): boolean {
  const prepared = PREPARED_WEIGHTS[name.toLowerCase()];
  return prepared === undefined || prepared.platform === platform;
}

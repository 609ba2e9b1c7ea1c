/** An animated WebP of still ones, each of 100 × 100 pixels. */
export function animatedWebp(stills: Buffer[]): Buffer {
  const extended = Buffer.from([0x12, 0, 0, 0, 99, 0, 0, 99, 0, 0]);
  const frames = stills.map((still) => {
    // Place, extent less one, 100 ms, no flags.
    const head = Buffer.from([0, 0, 0, 0, 0, 0, 99, 0, 0, 99, 0, 0, 100, 0, 0, 0]);
    return chunk("ANMF", Buffer.concat([head, still.subarray(12, 8 + still.readUInt32LE(4))]));
  });
  const parts = [chunk("VP8X", extended), chunk("ANIM", Buffer.alloc(6)), ...frames];
  return chunk("RIFF", Buffer.concat([Buffer.from("WEBP"), ...parts]));
}

function chunk(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, "latin1");
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length & 1)]);
}

/**
 * One of those who share an address, or a network of version 6 of 64 bits, the rest being its
 * owner's to choose; "" for an unknown address.
 */
export function placeOf(address: string | undefined): string {
  if (address?.includes(":") !== true) return address ?? "";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [left = "", right = ""] = address.replace(/%.*$/, "").split("::");
  const [head = [], tail = []] = [left, right].map((part) => part.split(":").filter(Boolean));
  const zeroes = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => "0");
  return `${[...head, ...zeroes, ...tail].slice(0, 4).join(":")}::/64`;
}

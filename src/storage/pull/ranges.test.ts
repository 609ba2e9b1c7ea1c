import { expect, test } from "bun:test";
import fc from "fast-check";
import { Ranges } from "./ranges.ts";

test("ranges know what is there, as a set of bytes would", () => {
  const range = fc.tuple(fc.nat(60), fc.nat(60)).map(([a, b]) => [a, a + (b % 13)] as const);
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), fc.nat(70), (list, size) => {
      const ranges = new Ranges();
      const bytes = new Set<number>();
      for (const [start, end] of list) {
        ranges.add(start, end);
        for (let i = start; i < end; i += 1) bytes.add(i);
      }
      expect(ranges.bytes).toBe(bytes.size);
      const missing = ranges.gaps(size).flatMap(([start, end]) => {
        expect(start).toBeLessThan(end);
        return Array.from({ length: end - start }, (_, i) => start + i);
      });
      const wanted = Array.from({ length: size }, (_, i) => i).filter((i) => !bytes.has(i));
      expect(missing).toEqual(wanted);
      let reach = 0;
      while (bytes.has(reach)) reach += 1;
      expect(ranges.reach(0)).toBe(reach);
      expect(new Ranges(ranges.toJSON()).toJSON()).toEqual(ranges.toJSON());
    }),
  );
});

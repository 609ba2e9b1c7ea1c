import { expect, test } from "bun:test";
import { countText, localTime, moneyText, tookText } from "./numbers.ts";

test("times have the digits that matter", () => {
  const told = [0.8512, 12.34, 340.4, 999.4, 999.6, 1250, 83_400, 1_234_000].map(tookText);
  expect(told).toEqual([
    ...["0.851 ms", "12.3 ms", "340 ms", "999 ms", "1 s", "1.25 s", "83.4 s", "1234 s"],
  ]);
});

test("counts and money are readable", () => {
  expect([0, 999, 1234567].map(countText)).toEqual(["0", "999", "1,234,567"]);
  expect([0, 0.00125, 0.5, 12.3, 1234.5].map(moneyText)).toEqual([
    ...["0.00", "0.00125", "0.5", "12.30", "1234.50"],
  ]);
});

test("a time is told by the local clock", () => {
  expect(localTime(new Date(2026, 0, 5, 7, 8, 9).toISOString())).toBe("2026-01-05 07:08:09");
});

import type { KeyboardEvent } from "react";

/**
 * Whether a key belongs to letters that are being put together, as in Japanese: Enter chooses among
 * them, Escape leaves them. Safari says so by the key code 229 alone.
 */
export function isComposing({ nativeEvent, keyCode }: KeyboardEvent): boolean {
  return nativeEvent.isComposing || keyCode === 229;
}

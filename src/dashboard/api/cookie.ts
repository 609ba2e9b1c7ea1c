/** The value of a cookie that pages may read, as it was sent; undefined without one. */
export function cookieOf(name: string): string | undefined {
  const start = `${name}=`;
  const pair = document.cookie.split("; ").find((one) => one.startsWith(start));
  return pair?.slice(start.length);
}

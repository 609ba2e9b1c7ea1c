// Zod's faster way makes functions of texts, which pages of ours may not (zod/v4/core).
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });

// Runs before anything is shown, so that the page does not appear in another theme first.
try {
  const theme = localStorage.getItem("llmlb.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // A browser that keeps nothing shows the theme of its system.
}

/** `import path from "….gguf" with { type: "file" }` gives its path, also in an executable. */
declare module "*.gguf" {
  const path: string;
  export default path;
}

/** `import path from "….gguf" with { type: "file" }` gives a path, also in the executable. */
declare module "*.gguf" {
  const path: string;
  export default path;
}

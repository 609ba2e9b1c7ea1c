/** `import path from "….gguf" with { type: "file" }` gives the file's path, also when compiled. */
declare module "*.gguf" {
  const path: string;
  export default path;
}

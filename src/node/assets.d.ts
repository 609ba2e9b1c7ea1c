/** `import path from "….gguf" with { type: "file" }`: the path, inside a compiled executable too. */
declare module "*.gguf" {
  const path: string;
  export default path;
}

import sources from "../../native/sources.json" with { type: "json" };
import pkg from "../../package.json" with { type: "json" };

/** The version of llmlb. */
export const VERSION: string = pkg.version;

/** The release of llama.cpp that is built in. */
export const LLAMA_CPP_VERSION: string = sources.llama_cpp;

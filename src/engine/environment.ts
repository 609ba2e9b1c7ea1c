/** Variables that engines may need: the system's, and those of llama.cpp, drivers and libraries. */
const ALLOWED = new RegExp(
  `^(?:${[
    ...["PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TMP", "TEMP", "TZ", "LANG", "LANGUAGE"],
    ...["LC_.*", "XDG_.*", "DISPLAY", "LD_LIBRARY_PATH", "DYLD_.*", "LLMLB_HOME"],
    ...["SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "PROGRAMDATA", "USERPROFILE"],
    ...["APPDATA", "LOCALAPPDATA", "NUMBER_OF_PROCESSORS", "PROCESSOR_.*"],
    ...["GGML_.*", "LLAMA_.*", "CUDA_.*", "CUBLAS_.*", "NVIDIA_.*", "NCCL_.*", "HIP_.*"],
    ...["ROC[RM]_.*", "HSA_.*", "AMD_.*", "GPU_.*", "VK_.*", "VULKAN_.*", "MESA_.*", "RADV_.*"],
    ...["__GLX?_.*", "DRI_PRIME", "ONEAPI_.*", "SYCL_.*", "ZES?_.*", "UR_.*", "MTL_.*", "METAL_.*"],
    ...["OMP_.*", "KMP_.*", "GOMP_.*", "MKL_.*", "OPENBLAS_.*", "BLIS_.*", "VECLIB_.*"],
  ].join("|")})$`,
  "i",
);

/** What names a secret, whoever it is for: llama-server's own keys come this way, too. */
const SECRET = /KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH/i;

/**
 * The environment of an engine process, out of that of its node: a hostile model file that takes an
 * engine over finds no key and no token in it.
 */
export function engineEnvironment(
  env: Record<string, string | undefined>,
): Record<string, string | undefined> {
  const kept = Object.entries(env).filter(([name]) => ALLOWED.test(name) && !SECRET.test(name));
  return Object.fromEntries(kept);
}

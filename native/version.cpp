// The version of llama.cpp that answers and `llmlb doctor` tell.
#include <build-info.h>

// Stands for llama.cpp's own function of this purpose, see CMakeLists.txt.
const char * llama_build_info(void) {
    return LLMLB_LLAMA_VERSION;
}

// Stands in for llama.cpp's generated web interface, which benchmarks do without.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

struct llama_ui_asset {
    std::string           name;
    const unsigned char * data;
    size_t                size;
    std::string           type;
    std::string           etag;
};

inline const std::vector<llama_ui_asset> & llama_ui_get_assets() {
    static const std::vector<llama_ui_asset> none;
    return none;
}

inline const llama_ui_asset * llama_ui_find_asset(const std::string & /*name*/) {
    return nullptr;
}

inline bool llama_ui_use_gzip() {
    return false;
}

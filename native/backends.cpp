// The compute backends (plugins): loading them, and telling what they found.
#include "engine.h"

#include <ggml-backend.h>
#include <ggml-rpc.h>
#include <server-common.h>

#include <cstring>
#include <thread>

#ifdef _WIN32
#    include <windows.h>
#else
#    include <dlfcn.h>
#endif

namespace {

// Copies a text for the caller; returns the length it has.
size_t copy_out(const std::string & text, char * out, size_t capacity) {
    if (capacity > 0) {
        const size_t length = std::min(text.size(), capacity - 1);
        memcpy(out, text.data(), length);
        out[length] = 0;
    }
    return text.size();
}

const char * type_name(enum ggml_backend_dev_type type) {
    switch (type) {
        case GGML_BACKEND_DEVICE_TYPE_CPU:  return "cpu";
        case GGML_BACKEND_DEVICE_TYPE_GPU:  return "gpu";
        case GGML_BACKEND_DEVICE_TYPE_IGPU: return "igpu";
        default:                            return "accel";
    }
}

#ifdef _WIN32

std::string open_library(const char * path, void ** library) {
    *library = (void *) LoadLibraryA(path);
    const std::string code = std::to_string(GetLastError());
    return *library ? "" : "it cannot be loaded (system error " + code + ")";
}

void * find_symbol(void * library, const char * name) {
    return (void *) GetProcAddress((HMODULE) library, name);
}

void close_library(void * library) {
    FreeLibrary((HMODULE) library);
}

#else

std::string open_library(const char * path, void ** library) {
    *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    return *library ? "" : dlerror();
}

void * find_symbol(void * library, const char * name) {
    return dlsym(library, name);
}

void close_library(void * library) {
    dlclose(library);
}

#endif

using rpc_server = decltype(&ggml_backend_rpc_start_server);

// The server of the RPC plugin; null where that could not be loaded.
rpc_server find_rpc_server() {
    ggml_backend_reg_t plugin = ggml_backend_reg_by_name("RPC");
    if (!plugin) {
        return nullptr;
    }
    return (rpc_server) ggml_backend_reg_get_proc_address(plugin, "ggml_backend_rpc_start_server");
}

// Never returns while the server works: what ends it is told on stderr before.
void serve_devices(rpc_server serve, std::string path, uint32_t threads,
                   std::vector<ggml_backend_dev_t> devices) {
    serve(path.c_str(), nullptr, threads, devices.size(), devices.data());
    fprintf(stderr, "error: the devices cannot be lent any more\n");
    std::_Exit(1);
}

std::string lend(const std::string & path, uint32_t threads, const json & names) {
    const rpc_server serve = find_rpc_server();
    if (!serve) {
        return "the RPC backend could not be loaded";
    }
    std::vector<ggml_backend_dev_t> devices;
    for (const std::string name : names) {
        ggml_backend_dev_t device = ggml_backend_dev_by_name(name.c_str());
        if (!device) {
            return "there is no device " + name;
        }
        devices.push_back(device);
    }
    std::thread(serve_devices, serve, path, threads, std::move(devices)).detach();
    return "";
}

}  // namespace

void llmlb_load_backends(const char * directory) {
    ggml_backend_load_all_from_path(directory);
}

size_t llmlb_devices(char * out, size_t capacity) {
    json devices = json::array();
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        ggml_backend_dev_t device = ggml_backend_dev_get(i);
        size_t             free   = 0;
        size_t             total  = 0;
        ggml_backend_dev_memory(device, &free, &total);
        devices.push_back({
            { "name", ggml_backend_dev_name(device) },
            { "description", ggml_backend_dev_description(device) },
            { "type", type_name(ggml_backend_dev_type(device)) },
            { "total_memory_bytes", total },
            { "free_memory_bytes", free },
        });
    }
    return copy_out(safe_json_to_str(devices), out, capacity);
}

// A plugin exports ggml_backend_init and, if it depends on the processor, ggml_backend_score, which
// is 0 where it cannot run.
size_t llmlb_probe_backend(const char * path, char * out, size_t capacity) {
    void *      library = nullptr;
    std::string reason  = open_library(path, &library);
    if (library) {
        const auto score = (int (*)()) find_symbol(library, "ggml_backend_score");
        if (!find_symbol(library, "ggml_backend_init")) {
            reason = "it is no ggml backend";
        } else if (score && score() == 0) {
            reason = "this processor lacks instructions that it needs";
        }
        close_library(library);
    }
    return copy_out(reason, out, capacity);
}

size_t llmlb_lend(const char * path, uint32_t threads, const char * names, char * out,
                  size_t capacity) {
    std::string problem;
    try {
        problem = lend(path, threads, json::parse(names));
    } catch (const std::exception & e) {
        problem = e.what();
    }
    return copy_out(problem, out, capacity);
}

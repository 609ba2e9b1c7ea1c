// An open file whose failures are exceptions.
#pragma once

#include <ggml.h>

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

class open_file {
  public:
    static constexpr auto DAMAGED     = "the file is damaged";
    static constexpr auto NOT_WRITTEN = "the file cannot be written: is the disk full?";

    open_file(const std::string & path, const char * mode)
        : handle(ggml_fopen(path.c_str(), mode)) {
        if (handle == nullptr) {
            throw std::runtime_error("the file cannot be opened");
        }
    }

    ~open_file() {
        if (handle != nullptr) {
            fclose(handle);
        }
    }

    open_file(const open_file &) = delete;

    void write(const void * data, size_t size) {
        if (fwrite(data, 1, size, handle) != size) {
            throw std::runtime_error(NOT_WRITTEN);
        }
    }

    void read(void * data, size_t size) {
        if (fread(data, 1, size, handle) != size) {
            throw std::runtime_error("the file is cut off");
        }
    }

    template <typename T> T read() {
        T value;
        read(&value, sizeof(value));
        return value;
    }

    std::vector<uint8_t> read_bytes(uint64_t size, uint64_t most) {
        if (size > most) {
            throw std::runtime_error(DAMAGED);
        }
        std::vector<uint8_t> bytes(size);
        read(bytes.data(), size);
        return bytes;
    }

    void seek(uint64_t offset) {
#ifdef _WIN32
        const int failed = _fseeki64(handle, (int64_t) offset, SEEK_SET);
#else
        const int failed = fseeko(handle, (off_t) offset, SEEK_SET);
#endif
        if (failed != 0) {
            throw std::runtime_error("the file cannot be read");
        }
    }

    void close() {
        FILE * closing = handle;
        handle         = nullptr;
        if (fclose(closing) != 0) {
            throw std::runtime_error(NOT_WRITTEN);
        }
    }

  private:
    FILE * handle;
};

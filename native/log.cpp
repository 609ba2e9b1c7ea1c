#include "log.h"

#include "outbox.h"

#include <llama.h>
#include <mtmd-helper.h>

#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string>

struct common_log;

namespace {

constexpr size_t LINE_BYTES_MAX = 4096;

std::mutex sink_mutex;
outbox *   sink = nullptr;

void emit(ggml_log_level level, const std::string & line) {
    std::lock_guard<std::mutex> lock(sink_mutex);
    if (sink) {
        sink->push(level, LLMLB_EVENT_LOG, line, telling::soon);
    }
}

// llama.cpp may print one line in several pieces; every thread collects its own.
void add(ggml_log_level level, const char * text, void * /*user*/ = nullptr) {
    thread_local std::string    line;
    thread_local ggml_log_level line_level = GGML_LOG_LEVEL_INFO;
    if (level != GGML_LOG_LEVEL_CONT) {
        line_level = level;
    }
    for (const char * c = text; *c; c++) {
        if (*c != '\n') {
            line += *c;
        }
        if (!line.empty() && (*c == '\n' || line.size() == LINE_BYTES_MAX)) {
            emit(line_level, line);
            line.clear();
        }
    }
}

}  // namespace

void log_to(outbox * target) {
    {
        std::lock_guard<std::mutex> lock(sink_mutex);
        sink = target;
    }
    llama_log_set(add, nullptr);
    mtmd_helper_log_set(add, nullptr);
}

// llama.cpp's common library and its server core log through this function. Being defined here it
// takes the place of theirs: for ELF by symbol lookup order (this library comes first), elsewhere
// by a preprocessor rename in the sources that are compiled here (see CMakeLists.txt).
LLMLB_API void common_log_add(common_log * /*log*/, ggml_log_level level, const char * format,
                              ...) {
    char    text[LINE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    add(level, text);
}

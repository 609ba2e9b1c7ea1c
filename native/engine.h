// The C ABI between llmlb (TypeScript, bun:ffi) and llama.cpp's server core.
//
// One handle drives one model. Requests go in with llmlb_submit, everything that happens comes out
// as framed events with llmlb_drain; the notify callback says that there is something to drain.
// No function blocks on inference except llmlb_destroy, which waits for the threads it joins.
// README.md in this folder explains the frames and the threads.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#    define LLMLB_API __declspec(dllexport)
#else
#    define LLMLB_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define LLMLB_ABI_VERSION 3

typedef struct llmlb_engine llmlb_engine;
typedef void (*llmlb_notify_fn)(void);

enum llmlb_event_type {
    LLMLB_EVENT_HEAD       = 1, // [u32 status][u32 1 if a stream][content type]
    LLMLB_EVENT_DATA       = 2, // bytes of the body
    LLMLB_EVENT_END        = 3, // empty: the request is over
    LLMLB_EVENT_LOG        = 4, // id is the ggml log level; one line of text
    LLMLB_EVENT_PROGRESS   = 5, // JSON {stage, stages, value}
    LLMLB_EVENT_READY      = 6, // JSON about the loaded model
    LLMLB_EVENT_LOAD_ERROR = 7, // text
    LLMLB_EVENT_PROMPT     = 8, // JSON: what became of a prompt's file (core/promptfiles.h)
};

// Must equal LLMLB_ABI_VERSION of the header that the caller was written for.
LLMLB_API uint32_t llmlb_abi_version(void);

// The build of llama.cpp inside, e.g. "b1-de3ff81".
LLMLB_API const char * llmlb_build_info(void);

// Makes a handle with `threads` request threads. `notify` is called from a thread of the library,
// never again before the next llmlb_drain; for mere DATA at most once per `flush_us` microseconds.
LLMLB_API llmlb_engine * llmlb_create(llmlb_notify_fn notify, uint32_t threads, uint32_t flush_us);

// Loads the compute backends (plugins) found in a directory, skipping those that cannot run here.
LLMLB_API void llmlb_load_backends(const char * directory);

// Writes the compute devices as JSON (NUL-terminated); returns the length it needs without the NUL.
LLMLB_API size_t llmlb_devices(char * out, size_t capacity);

// Tries one plugin file: writes "" if it can run here, else why not. Returns as llmlb_devices.
LLMLB_API size_t llmlb_probe_backend(const char * path, char * out, size_t capacity);

// Lends devices, given as a JSON list of their names, to whoever connects to the Unix socket that
// it makes at `path`: one connection after the other, with `threads` threads of the processor. Goes
// on in a thread of its own until the process ends. Writes "" or why it cannot. Returns as
// llmlb_devices.
LLMLB_API size_t llmlb_lend(const char * path, uint32_t threads, const char * names, char * out,
                            size_t capacity);

// Starts loading a model; `argv` holds NUL-separated llama-server arguments, `length` bytes.
// READY or LOAD_ERROR follows as an event. Call once per handle.
LLMLB_API void llmlb_load(llmlb_engine * engine, const char * argv, size_t length);

// Starts a request. `head` is JSON {method, path, query, files: [{field, name, type, size}]};
// `body` holds the body and then the files. HEAD, DATA…, END follow with this id.
// Returns 0, or -1 if too many requests wait already.
LLMLB_API int32_t llmlb_submit(llmlb_engine * engine, uint64_t id, const char * head,
                               size_t head_length, const uint8_t * body, size_t body_length);

// Asks a request to stop; its END still follows. Unknown ids are ignored.
LLMLB_API void llmlb_cancel(llmlb_engine * engine, uint64_t id);

// How long the decoding loop has owed an answer to the question that a thread of its own asks every
// second, in milliseconds. 0 while no model is loaded.
LLMLB_API uint32_t llmlb_stalled_ms(llmlb_engine * engine);

// Copies events into `out`, each as [u64 id][u32 type][u32 length][bytes], little endian, unpadded.
// Returns the bytes written. Data that does not fit is split; the rest comes with the next call.
LLMLB_API size_t llmlb_drain(llmlb_engine * engine, uint8_t * out, size_t capacity);

// Cancels what runs, joins every thread, frees the model. No event follows.
LLMLB_API void llmlb_destroy(llmlb_engine * engine);

#ifdef __cplusplus
}
#endif

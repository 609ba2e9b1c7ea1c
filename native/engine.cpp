#include "engine.h"

#include "log.h"
#include "outbox.h"
#include "pool.h"
#include "request.h"
#include "routes.h"
#include "watch.h"

#include <arg.h>
#include <build-info.h>
#include <common.h>
#include <llama.h>
#include <server-common.h>
#include <server-stream.h>
#include <src/llama-ext.h>

#include <atomic>
#include <clocale>
#include <csignal>

namespace {

constexpr size_t   REQUESTS_WAITING_MAX = 4096;
constexpr uint32_t QUICK_THREADS        = 2;

// What llama-server itself sets before it loads a model.
void apply_server_defaults(common_params & params) {
    if (params.embedding && params.n_batch > params.n_ubatch) {
        params.n_batch = params.n_ubatch; // an embedded text must fit into one batch
    }
    if (params.n_parallel < 0) {
        params.n_parallel = 4;
        params.kv_unified = true;
    }
    if (params.kv_unified_per_slot > 0 && params.n_ctx == 0 &&
        (uint32_t) params.fit_params_min_ctx != UINT32_MAX) {
        params.n_ctx = params.n_parallel * params.kv_unified_per_slot;
    }
    if (params.model_alias.empty() && !params.model.get_name().empty()) {
        params.model_alias.insert(params.model.get_name());
    }
}

std::vector<std::string> split_arguments(const char * argv, size_t length) {
    std::vector<std::string> arguments = { "llmlb" };
    const char *             end       = argv + length;
    while (argv < end) {
        arguments.emplace_back(argv);
        argv += arguments.back().size() + 1;
    }
    return arguments;
}

// Bytes of the model and its context by where they are: a device's name, or "host". An image
// projector and a draft model are not among them: their contexts are out of reach.
json memory_of(const llama_context * context) {
    std::map<std::string, size_t> bytes;
    for (const auto & [type, data] : llama_get_memory_breakdown(context)) {
        ggml_backend_dev_t device  = ggml_backend_buft_get_device(type);
        const bool         is_host = ggml_backend_buft_is_host(type) || device == nullptr ||
            ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU;
        bytes[is_host ? "host" : ggml_backend_dev_name(device)] += data.total();
    }
    json about = json::object();
    for (const auto & [name, size] : bytes) {
        about[name] = (uint64_t) size;
    }
    return about;
}

json describe(const server_context_meta & meta, const common_params & params,
              const llama_context * context) {
    return {
        { "slots", params.n_parallel },
        { "context_tokens", meta.slot_n_ctx },
        { "train_context_tokens", meta.model_n_ctx_train },
        { "parameters", meta.model_n_params },
        { "size_bytes", meta.model_size },
        { "file_type", meta.model_ftype },
        { "vision", meta.has_inp_image },
        { "audio", meta.has_inp_audio },
        { "embeddings", params.embedding },
        { "memory_bytes", memory_of(context) },
    };
}

}  // namespace

struct llmlb_engine {
    outbox            events;
    request_registry  requests;
    common_params     params;
    server_context    context;
    std::unique_ptr<server_routes> handlers;
    std::unique_ptr<router>        routing;
    std::atomic<bool> ready{ false };
    std::thread       model_thread;
    watch             loop_watch{ context };
    pool              generation;
    pool              quick;

    llmlb_engine(llmlb_notify_fn notify, uint32_t threads, uint32_t flush_us)
        : events(notify, std::chrono::microseconds(flush_us)),
          generation(threads, REQUESTS_WAITING_MAX),
          quick(QUICK_THREADS, REQUESTS_WAITING_MAX) {}

    // Body of the model's own thread: loads, then decodes until llmlb_destroy.
    void run_model(std::vector<std::string> arguments) {
        try {
            if (!load(arguments)) {
                return;
            }
        } catch (const std::exception & e) {
            events.push(0, LLMLB_EVENT_LOAD_ERROR, e.what());
            return;
        }
        context.start_loop();
    }

    bool load(std::vector<std::string> & arguments) {
        std::vector<char *> argv;
        for (auto & argument : arguments) {
            argv.push_back(argument.data());
        }
        if (!common_params_parse((int) argv.size(), argv.data(), params, LLAMA_EXAMPLE_SERVER)) {
            events.push(0, LLMLB_EVENT_LOAD_ERROR, "invalid engine arguments");
            return false;
        }
        llama_backend_init();
        llama_numa_init(params.numa);
        apply_server_defaults(params);
        context.set_state_callback([this](server_state state, json progress) {
            if (state == SERVER_STATE_LOADING && progress.contains("value")) {
                events.push(0, LLMLB_EVENT_PROGRESS, safe_json_to_str(progress));
            }
        });
        context.set_prompt_file_callback([this](const json & outcome) {
            events.push(0, LLMLB_EVENT_PROMPT, safe_json_to_str(outcome));
        });
        handlers = std::make_unique<server_routes>(params, context);
        routing  = std::make_unique<router>(*handlers, context);
        if (!context.load_model(params)) {
            events.push(0, LLMLB_EVENT_LOAD_ERROR, "llama.cpp could not load the model");
            return false;
        }
        handlers->update_meta(context);
        ready = true;
        loop_watch.start();
        const json about = describe(context.get_meta(), params, context.get_llama_context());
        events.push(0, LLMLB_EVENT_READY, safe_json_to_str(about));
        return true;
    }

    // Body of a request thread. The request is cancelled through its own flag only.
    void answer(request & request, const route & route) {
        server_http_res_ptr res;
        if (request.cancelled) {
            res = error_response(499, "invalid_request_error", "the request was cancelled");
        } else if (route.handler) {
            res = handle(route.handler, request.http);
        } else if (route.known) {
            res = error_response(405, "invalid_request_error", "method not allowed");
        } else {
            res = error_response(404, "not_found_error", "unknown route of the engine");
        }
        send(request, *res);
        res->on_complete();
        res.reset(); // before END: destroying it frees the slot of an unfinished request
        requests.remove(request.id);
        events.push(request.id, LLMLB_EVENT_END, "");
    }

    void send(request & request, server_http_res & res) {
        const uint32_t head[2] = { (uint32_t) res.status, res.is_stream() ? 1u : 0u };
        std::string    payload((const char *) head, sizeof(head));
        payload += res.content_type;
        if (!res.is_stream()) { // the end follows at once
            events.push(request.id, LLMLB_EVENT_HEAD, std::move(payload), telling::with_next);
            if (!res.data.empty()) {
                events.push_data(request.id, std::move(res.data), telling::with_next);
            }
            return;
        }
        events.push(request.id, LLMLB_EVENT_HEAD, std::move(payload));
        bool first = true; // a client waits for it; whoever reads on has something to read
        bool more  = true;
        while (more) {
            std::string chunk;
            more = res.next(chunk);
            if (!chunk.empty() && !request.cancelled) {
                const telling when = first ? telling::now : telling::soon;
                events.push_data(request.id, std::move(chunk), when);
                first = false;
            }
        }
    }

    bool submit(uint64_t id, json head, const uint8_t * body, size_t length) {
        auto request = std::make_shared<::request>(id, head, body, length);
        auto & http  = request->http;
        route  route = { nullptr, true, false };
        if (ready) {
            const auto method = json_value(head, "method", std::string());
            route             = routing->find(method, http.path, http.params);
        } else {
            route.handler = [](const server_http_req &) {
                return error_response(503, "service_unavailable", "the model is loading");
            };
        }
        requests.add(request);
        pool &     lane   = route.quick ? quick : generation;
        const bool posted = lane.post([this, request, route] { answer(*request, route); });
        if (!posted) {
            requests.remove(id);
        }
        return posted;
    }

    // Order matters: a handler that still waits when the loop has ended would abort the process.
    void shut_down() {
        requests.cancel_all();
        generation.close();
        quick.close();
        loop_watch.close();
        if (model_thread.joinable()) {
            context.terminate();
            model_thread.join();
        }
        events.close();
    }
};

uint32_t llmlb_abi_version(void) {
    return LLMLB_ABI_VERSION;
}

const char * llmlb_build_info(void) {
    return llama_build_info();
}

llmlb_engine * llmlb_create(llmlb_notify_fn notify, uint32_t threads, uint32_t flush_us) {
    std::setlocale(LC_NUMERIC, "C");
#ifndef _WIN32
    std::signal(SIGPIPE, SIG_IGN);
#endif
    auto * engine = new llmlb_engine(notify, threads, flush_us);
    log_to(&engine->events);
    server_stream_session_manager_start();
    return engine;
}

void llmlb_load(llmlb_engine * engine, const char * argv, size_t length) {
    auto run = [engine, arguments = split_arguments(argv, length)] {
        engine->run_model(arguments);
    };
    engine->model_thread = std::thread(std::move(run));
}

int32_t llmlb_submit(llmlb_engine * engine, uint64_t id, const char * head, size_t head_length,
                     const uint8_t * body, size_t body_length) {
    try {
        json parsed = json::parse(std::string(head, head_length));
        return engine->submit(id, std::move(parsed), body, body_length) ? 0 : -1;
    } catch (const std::exception &) {
        return -2; // a head that the caller's own code got wrong
    }
}

void llmlb_cancel(llmlb_engine * engine, uint64_t id) {
    engine->requests.cancel(id);
}

uint32_t llmlb_stalled_ms(llmlb_engine * engine) {
    return engine->loop_watch.stalled_ms();
}

size_t llmlb_drain(llmlb_engine * engine, uint8_t * out, size_t capacity) {
    return engine->events.drain(out, capacity);
}

void llmlb_destroy(llmlb_engine * engine) {
    engine->shut_down();
    server_stream_session_manager_stop();
    log_to(nullptr);
    delete engine;
    llama_backend_free();
}

#include "routes.h"

#include <server-common.h>

// A question about prompts in files (core/promptfiles.h); the decoding loop answers it.
static server_http_res_ptr ask_about_prompts(server_context &        context,
                                             const server_http_req & req) {
    auto        reader = context.get_response_reader();
    server_task task(SERVER_TASK_TYPE_PROMPTS);
    task.id               = reader.get_new_id();
    task.prompts_question = json::parse(req.body);
    reader.post_task(std::move(task), true);
    const auto result = reader.next(req.should_stop);
    if (result == nullptr || result->is_error()) {
        return error_response(500, "server_error", "the question was not answered");
    }
    auto res  = std::make_unique<server_http_res>();
    res->data = safe_json_to_str(result->to_json());
    return res;
}

router::router(server_routes & r, server_context & context) {
    const bool quick   = true;
    const bool slow    = false;
    const auto prompts = [&context](const server_http_req & req) {
        return ask_about_prompts(context, req);
    };
    entries = {
        { "GET",  "/health",                          r.get_health,                 quick },
        { "GET",  "/v1/health",                       r.get_health,                 quick },
        { "GET",  "/metrics",                         r.get_metrics,                quick },
        { "GET",  "/props",                           r.get_props,                  quick },
        { "POST", "/props",                           r.post_props,                 quick },
        { "GET",  "/models",                          r.get_models,                 quick },
        { "GET",  "/v1/models",                       r.get_models,                 quick },
        { "POST", "/completion",                      r.post_completions,           slow  },
        { "POST", "/completions",                     r.post_completions,           slow  },
        { "POST", "/v1/completions",                  r.post_completions_oai,       slow  },
        { "POST", "/chat/completions",                r.post_chat_completions,      slow  },
        { "POST", "/v1/chat/completions",             r.post_chat_completions,      slow  },
        { "POST", "/v1/chat/completions/control",     r.post_control,               quick },
        { "POST", "/v1/chat/completions/input_tokens", r.post_chat_completions_tok, quick },
        { "POST", "/v1/audio/transcriptions",         r.post_transcriptions_oai,    slow  },
        { "POST", "/audio/transcriptions",            r.post_transcriptions_oai,    slow  },
        { "POST", "/embedding",                       r.post_embeddings,            slow  },
        { "POST", "/embeddings",                      r.post_embeddings,            slow  },
        { "POST", "/v1/embeddings",                   r.post_embeddings_oai,        slow  },
        { "POST", "/rerank",                          r.post_rerank,                slow  },
        { "POST", "/v1/rerank",                       r.post_rerank,                slow  },
        { "POST", "/v1/reranking",                    r.post_rerank,                slow  },
        { "POST", "/infill",                          r.post_infill,                slow  },
        { "POST", "/tokenize",                        r.post_tokenize,              quick },
        { "POST", "/detokenize",                      r.post_detokenize,            quick },
        { "POST", "/apply-template",                  r.post_apply_template,        quick },
        { "GET",  "/lora-adapters",                   r.get_lora_adapters,          quick },
        { "POST", "/lora-adapters",                   r.post_lora_adapters,         quick },
        { "GET",  "/slots",                           r.get_slots,                  quick },
        { "POST", "/slots/:id_slot",                  r.post_slots,                 quick },
        // Not llama.cpp's: only the node asks it, clients have no route that leads here.
        { "POST", "/prompts",                         prompts,                      quick },
    };
}

// Whether `path` matches `pattern`, whose last segment may be a `:parameter`.
static bool matches(const std::string & pattern, const std::string & path,
                    std::map<std::string, std::string> & params) {
    const size_t colon = pattern.find(':');
    if (colon == std::string::npos) {
        return pattern == path;
    }
    if (path.size() <= colon || path.compare(0, colon, pattern, 0, colon) != 0 ||
        path.find('/', colon) != std::string::npos) {
        return false;
    }
    params[pattern.substr(colon + 1)] = path.substr(colon);
    return true;
}

route router::find(const std::string & method, const std::string & path,
                   std::map<std::string, std::string> & params) const {
    bool known = false;
    for (const entry & entry : entries) {
        if (!matches(entry.path, path, params)) {
            continue;
        }
        if (method == entry.method) {
            return { entry.handler, entry.quick, true };
        }
        known = true;
    }
    return { nullptr, true, known };
}

server_http_res_ptr error_response(int status, const char * type, const std::string & message) {
    auto res    = std::make_unique<server_http_res>();
    res->status = status;
    res->data   = safe_json_to_str({
        { "error", {
            { "message", message },
            { "type", type },
            { "code", nullptr },
            { "param", nullptr },
        } },
    });
    return res;
}

server_http_res_ptr handle(const server_http_context::handler_t & handler,
                           const server_http_req &                req) {
    try {
        return handler(req);
    } catch (const std::invalid_argument & e) {
        return error_response(400, "invalid_request_error", e.what());
    } catch (const common_json_error & e) {
        return error_response(400, "invalid_request_error", e.what());
    } catch (const std::exception & e) {
        return error_response(500, "server_error", e.what());
    } catch (...) {
        return error_response(500, "server_error", "unknown error in the engine");
    }
}

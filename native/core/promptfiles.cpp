#include "promptfiles.h"

#include <server-common.h>

#include <xxhash/xxhash.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>

namespace {

double ms_since(std::chrono::steady_clock::time_point start) {
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    return time.count();
}

std::string key_of(const server_tokens & tokens) {
    const auto     packed = tokens.serialize();
    const uint64_t hash   = XXH3_64bits(packed.data(), packed.size());
    return std::to_string(tokens.size()) + "-" + std::to_string(hash);
}

// Whether a state holds every position, so that it can be cut after any token.
bool can_be_cut(llama_context * target) {
    const auto * model = llama_get_model(target);
    return llama_model_n_swa(model) == 0 && !llama_model_is_recurrent(model) &&
           !llama_model_is_hybrid(model);
}

// Slots, then what llama.cpp has put into the host's memory, where the newest is the last.
std::vector<size_t> newest_first(const std::vector<kept_prompt> & kept) {
    std::vector<size_t> order;
    for (size_t i = 0; i < kept.size(); i += 1) {
        if (kept[i].data == nullptr) {
            order.push_back(i);
        }
    }
    for (size_t i = kept.size(); i > 0; i -= 1) {
        if (kept[i - 1].data != nullptr) {
            order.push_back(i - 1);
        }
    }
    return order;
}

}  // namespace

json prompt_files::answer(const json & question, const std::vector<kept_prompt> & kept,
                          const prompt_contexts & contexts) {
    try {
        const auto what = json_value(question, "do", std::string());
        if (what == "list") {
            return list(kept, contexts);
        }
        if (what == "save") {
            return save(question, kept, contexts);
        }
        if (what == "offer") {
            return offer(question, contexts);
        }
        return { { "error", "unknown question" } };
    } catch (const std::exception & e) {
        return { { "error", e.what() } };
    }
}

json prompt_files::list(const std::vector<kept_prompt> & kept,
                        const prompt_contexts & contexts) const {
    json prompts = json::array();
    for (const size_t i : newest_first(kept)) {
        const auto & tokens = kept[i].prompt->tokens;
        const auto   is_in  = [&](size_t other) {
            const auto & more = kept[other].prompt->tokens;
            const bool   all  = other != i && more.get_common_prefix(tokens) == tokens.size();
            return all && (more.size() > tokens.size() || other < i);
        };
        bool is_needless = closed || tokens.empty();
        for (size_t other = 0; other < kept.size() && !is_needless; other += 1) {
            is_needless = is_in(other);
        }
        if (is_needless) {
            continue;
        }
        try {
            prompts.push_back({ { "key", key_of(tokens) },
                                { "tokens", tokens.size() },
                                { "bytes", prompt_bytes(kept[i], contexts) } });
        } catch (const std::exception &) {
            // Media that cannot be written: this prompt is computed anew.
        }
    }
    return { { "prompts", prompts } };
}

json prompt_files::save(const json & question, const std::vector<kept_prompt> & kept,
                        const prompt_contexts & contexts) {
    const auto key  = json_value(question, "key", std::string());
    const auto path = json_value(question, "file", std::string());
    for (const auto & one : kept) {
        if (closed || one.prompt->tokens.empty() || key_of(one.prompt->tokens) != key) {
            continue;
        }
        const uint64_t bytes    = write_prompt(one, path, contexts);
        json           replaces = json::array();
        for (auto at = offered.begin(); at != offered.end();) {
            const size_t common = at->tokens.get_common_prefix(one.prompt->tokens);
            const bool   is_in  = common == at->tokens.size();
            if (is_in) {
                replaces.push_back(at->path);
            }
            at = is_in ? offered.erase(at) : std::next(at);
        }
        return { { "tokens", one.prompt->tokens.size() },
                 { "bytes", bytes },
                 { "replaces", replaces } };
    }
    return { { "error", "there is no such prompt any more" } };
}

json prompt_files::offer(const json & question, const prompt_contexts & contexts) {
    json damaged = json::array();
    offered.clear();
    for (const auto & one : question.at("files")) {
        const auto path = json_value(one, "file", std::string());
        try {
            const auto tokens_min = json_value(one, "tokens_min", (size_t) 1);
            auto       found      = read_prompt_heads(path, tokens_min, contexts.has_mtmd);
            if (!found.tokens.validate(contexts.target)) {
                throw std::runtime_error("the file is of another model");
            }
            if (!closed && found.tokens.size() <= (size_t) contexts.tokens_max) {
                offered.push_back(std::move(found));
            }
        } catch (const std::exception &) {
            damaged.push_back(path);
        }
    }
    return { { "offered", offered.size() }, { "damaged", damaged } };
}

const prompt_file * prompt_files::find(const server_tokens & has, const server_tokens & wanted,
                                       const prompt_contexts & contexts) const {
    if (offered.empty()) {
        return nullptr;
    }
    const prompt_file * best      = nullptr;
    const size_t        had       = has.get_common_prefix(wanted);
    size_t              best_gain = 0;
    const bool          cut       = can_be_cut(contexts.target);
    for (const auto & file : offered) {
        const size_t common = file.tokens.get_common_prefix(wanted);
        size_t       usable = cut || common == file.tokens.size() ? common : 0;
        for (const int64_t tokens : file.checkpoints) {
            if (tokens > 0 && (size_t) tokens <= common) {
                usable = std::max(usable, (size_t) tokens);
            }
        }
        const size_t gain = usable > had ? usable - had : 0;
        if (gain >= file.tokens_min && gain > best_gain) {
            best      = &file;
            best_gain = gain;
        }
    }
    return best;
}

bool prompt_files::load(const prompt_file & file, const server_tokens & wanted,
                        server_prompt & prompt, int id_slot, const prompt_contexts & contexts) {
    const auto start     = std::chrono::steady_clock::now();
    json       outcome   = { { "file", file.path } };
    bool       is_loaded = false;
    try {
        check_prompt(file.path);
        try {
            read_prompt(file, prompt, id_slot, contexts);
            is_loaded          = true;
            outcome["outcome"] = "restored";
            outcome["tokens"]  = file.tokens.get_common_prefix(wanted);
            outcome["bytes"]   = std::filesystem::file_size(std::filesystem::u8path(file.path));
            outcome["ms"]      = ms_since(start);
        } catch (const std::exception & e) {
            outcome["outcome"] = "unusable";
            outcome["why"]     = e.what();
        }
    } catch (const std::exception & e) {
        outcome["outcome"] = "damaged";
        outcome["why"]     = e.what();
    }
    if (!is_loaded) {
        offered.remove_if([&](const prompt_file & one) { return &one == &file; });
    }
    if (tell) {
        tell(outcome);
    }
    return is_loaded;
}

void prompt_files::close() {
    closed = true;
    offered.clear();
}

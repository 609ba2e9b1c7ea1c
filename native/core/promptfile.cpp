#include "promptfile.h"

#include "openfile.h"

#include <server-common.h>

#include <xxhash/xxhash.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>

// Layout: llama.cpp's own file of a sequence (llama_state_seq_save_file), then what that leaves
// out: the draft model's state, the checkpoints (of models whose state cannot be cut anywhere), and
// a footer.

namespace {

constexpr char   MAGIC[8]    = { 'L', 'L', 'M', 'L', 'B', 'K', 'V', '1' };
constexpr size_t BLOCK_BYTES = 1024 * 1024;
constexpr size_t HEAD_BYTES  = 3 * sizeof(uint32_t); // magic, version, count of tokens
// A state in memory begins with a magic and its sequence, one in a file does not.
constexpr size_t HOST_HEAD_BYTES = sizeof(uint32_t) + sizeof(llama_seq_id);

struct footer {
    uint64_t main_bytes;
    uint64_t draft_bytes;
    uint64_t checkpoints;
    uint64_t hash; // XXH3 of everything before it
    char     magic[8];
};

struct checkpoint_head {
    int64_t  n_tokens;
    int64_t  pos_min;
    int64_t  pos_max;
    uint64_t target_bytes;
    uint64_t draft_bytes;
    uint64_t spec_bytes;
};

uint64_t size_of(const std::string & path) {
    return std::filesystem::file_size(std::filesystem::u8path(path));
}

// The hash of the first `size` bytes of a file and of what the footer says of them.
uint64_t hash_of(const std::string & path, uint64_t size, const footer & foot) {
    using free_state = decltype(&XXH3_freeState);
    std::unique_ptr<XXH3_state_t, free_state> state(XXH3_createState(), XXH3_freeState);
    XXH3_64bits_reset(state.get());
    open_file            in(path, "rb");
    std::vector<uint8_t> block(BLOCK_BYTES);
    for (uint64_t left = size; left > 0;) {
        const size_t now = (size_t) std::min<uint64_t>(left, block.size());
        in.read(block.data(), now);
        XXH3_64bits_update(state.get(), block.data(), now);
        left -= now;
    }
    XXH3_64bits_update(state.get(), &foot, offsetof(footer, hash));
    return XXH3_64bits_digest(state.get());
}

footer read_footer(open_file & in, uint64_t size) {
    if (size < HEAD_BYTES + sizeof(footer)) {
        throw std::runtime_error("the file is cut off");
    }
    in.seek(size - sizeof(footer));
    const auto foot = in.read<footer>();
    if (memcmp(foot.magic, MAGIC, sizeof(MAGIC)) != 0 || foot.main_bytes > size ||
        foot.draft_bytes > size - foot.main_bytes) {
        throw std::runtime_error(open_file::DAMAGED);
    }
    return foot;
}

size_t sequence_bytes(llama_context * context, int id) {
    const auto flags = LLAMA_STATE_SEQ_FLAGS_NONE;
    return context == nullptr ? 0 : llama_state_seq_get_size_ext(context, id, flags);
}

// llama.cpp's own file of a sequence. Returns its size.
uint64_t write_main(const kept_prompt & one, const std::string & path, llama_context * target) {
    const auto     packed = one.prompt->tokens.serialize();
    const uint32_t count  = (uint32_t) (packed.size() / sizeof(llama_token));
    if (one.data == nullptr) {
        const auto * tokens = reinterpret_cast<const llama_token *>(packed.data());
        const size_t bytes  = llama_state_seq_save_file(target, path.c_str(), one.id_slot, tokens,
                                                        count);
        if (bytes == 0) {
            throw std::runtime_error(open_file::NOT_WRITTEN);
        }
        return bytes;
    }
    open_file      out(path, "r+b");
    const uint32_t head[3] = { LLAMA_STATE_SEQ_MAGIC, LLAMA_STATE_SEQ_VERSION, count };
    out.write(head, sizeof(head));
    out.write(packed.data(), count * sizeof(llama_token));
    const auto & state = one.data->main;
    if (state.size() < HOST_HEAD_BYTES) {
        throw std::runtime_error("there is no state");
    }
    out.write(state.data() + HOST_HEAD_BYTES, state.size() - HOST_HEAD_BYTES);
    out.close();
    return HEAD_BYTES + count * sizeof(llama_token) + state.size() - HOST_HEAD_BYTES;
}

std::vector<uint8_t> draft_state(const kept_prompt & one, llama_context * draft) {
    if (draft == nullptr) {
        return {};
    }
    if (one.data != nullptr) {
        return one.data->drft;
    }
    std::vector<uint8_t> state(sequence_bytes(draft, one.id_slot));
    llama_state_seq_get_data_ext(draft, state.data(), state.size(), one.id_slot,
                                 LLAMA_STATE_SEQ_FLAGS_NONE);
    return state;
}

std::vector<llama_token> read_tokens(open_file & in, uint64_t most) {
    in.seek(0);
    const auto magic   = in.read<uint32_t>();
    const auto version = in.read<uint32_t>();
    const auto count   = in.read<uint32_t>();
    if (magic != LLAMA_STATE_SEQ_MAGIC || version != LLAMA_STATE_SEQ_VERSION ||
        count > most / sizeof(llama_token)) {
        throw std::runtime_error(open_file::DAMAGED);
    }
    std::vector<llama_token> packed(count);
    in.read(packed.data(), count * sizeof(llama_token));
    return packed;
}

}  // namespace

size_t prompt_bytes(const kept_prompt & one, const prompt_contexts & contexts) {
    size_t bytes = one.data != nullptr ? one.data->size()
                                       : sequence_bytes(contexts.target, one.id_slot) +
                                             sequence_bytes(contexts.draft, one.id_slot);
    for (const auto & checkpoint : one.prompt->checkpoints) {
        bytes += checkpoint.size() + sizeof(checkpoint_head);
    }
    return bytes + one.prompt->tokens.size() * sizeof(llama_token) + sizeof(footer);
}

uint64_t write_prompt(const kept_prompt & one, const std::string & path,
                      const prompt_contexts & contexts) {
    footer foot     = {};
    foot.main_bytes = write_main(one, path, contexts.target);
    {
        open_file  out(path, "r+b");
        const auto draft = draft_state(one, contexts.draft);
        out.seek(foot.main_bytes);
        out.write(draft.data(), draft.size());
        foot.draft_bytes = draft.size();
        for (const auto & at : one.prompt->checkpoints) {
            const checkpoint_head head = { at.n_tokens, at.pos_min, at.pos_max, at.data_tgt.size(),
                                           at.data_dft.size(), at.data_spec.size() };
            out.write(&head, sizeof(head));
            out.write(at.data_tgt.data(), at.data_tgt.size());
            out.write(at.data_dft.data(), at.data_dft.size());
            out.write(at.data_spec.data(), at.data_spec.size());
            foot.checkpoints += 1;
        }
        out.close();
    }
    const uint64_t size = size_of(path);
    foot.hash           = hash_of(path, size, foot);
    memcpy(foot.magic, MAGIC, sizeof(MAGIC));
    open_file out(path, "r+b");
    out.seek(size);
    out.write(&foot, sizeof(foot));
    out.close();
    return size + sizeof(foot);
}

prompt_file read_prompt_heads(const std::string & path, size_t tokens_min, bool has_mtmd) {
    const uint64_t size = size_of(path);
    open_file      in(path, "rb");
    const auto     foot   = read_footer(in, size);
    auto           tokens = server_tokens::deserialize(read_tokens(in, size), has_mtmd);
    prompt_file    found  = { path, tokens_min, std::move(tokens), {} };
    uint64_t       at     = foot.main_bytes + foot.draft_bytes;
    for (uint64_t i = 0; i < foot.checkpoints; i += 1) {
        in.seek(at);
        const auto head = in.read<checkpoint_head>();
        found.checkpoints.push_back(head.n_tokens);
        at += sizeof(head) + head.target_bytes + head.draft_bytes + head.spec_bytes;
        if (at > size) {
            throw std::runtime_error(open_file::DAMAGED);
        }
    }
    return found;
}

void check_prompt(const std::string & path) {
    const uint64_t size = size_of(path);
    open_file      in(path, "rb");
    const auto     foot = read_footer(in, size);
    if (hash_of(path, size - sizeof(footer), foot) != foot.hash) {
        throw std::runtime_error(open_file::DAMAGED);
    }
}

void read_prompt(const prompt_file & from, server_prompt & prompt, int id_slot,
                 const prompt_contexts & contexts) {
    const uint64_t size = size_of(from.path);
    open_file      in(from.path, "rb");
    const auto     foot   = read_footer(in, size);
    auto           packed = read_tokens(in, size);
    size_t         count  = 0;
    const size_t   bytes  = llama_state_seq_load_file(contexts.target, from.path.c_str(), id_slot,
                                                      packed.data(), packed.size(), &count);
    if (bytes != foot.main_bytes || (foot.draft_bytes > 0) != (contexts.draft != nullptr)) {
        throw std::runtime_error("the state does not fit");
    }
    in.seek(foot.main_bytes);
    if (contexts.draft != nullptr) {
        const auto state = in.read_bytes(foot.draft_bytes, size);
        if (llama_state_seq_set_data_ext(contexts.draft, state.data(), state.size(), id_slot,
                                         LLAMA_STATE_SEQ_FLAGS_NONE) != state.size()) {
            throw std::runtime_error("the draft model's state does not fit");
        }
    }
    prompt.clear();
    for (uint64_t i = 0; i < foot.checkpoints; i += 1) {
        const auto head = in.read<checkpoint_head>();
        auto &     at   = prompt.checkpoints.emplace_back();
        at.n_tokens     = head.n_tokens;
        at.pos_min      = (llama_pos) head.pos_min;
        at.pos_max      = (llama_pos) head.pos_max;
        at.data_tgt     = in.read_bytes(head.target_bytes, size);
        at.data_dft     = in.read_bytes(head.draft_bytes, size);
        at.data_spec    = in.read_bytes(head.spec_bytes, size);
    }
    prompt.tokens = from.tokens.clone();
}

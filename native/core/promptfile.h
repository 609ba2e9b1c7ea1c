// One prompt with its state in one file.
#pragma once

#include <server-task.h>

#include <cstdint>
#include <string>
#include <vector>

// A prompt with its state: in a slot's sequence, or in llama.cpp's cache in the host's memory.
struct kept_prompt {
    const server_prompt *      prompt;
    const server_prompt_data * data;    // null: in the sequence `id_slot`
    int                        id_slot;
};

// What the state of a prompt is read from and written to.
struct prompt_contexts {
    llama_context * target;
    llama_context * draft;     // null: none
    bool            has_mtmd;
    int             tokens_max; // that a slot holds
};

// A prompt in a file that this engine may read back.
struct prompt_file {
    std::string          path;
    size_t               tokens_min; // fewer are not worth reading it
    server_tokens        tokens;
    std::vector<int64_t> checkpoints; // tokens of each
};

// The size of a prompt's file, more or less.
size_t prompt_bytes(const kept_prompt & one, const prompt_contexts & contexts);

// Writes a prompt into a file, which exists and is empty. Returns its size. Throws if the disk
// refuses, or if the prompt has media that cannot be written.
uint64_t write_prompt(const kept_prompt & one, const std::string & path,
                      const prompt_contexts & contexts);

// What is in a file, without the states themselves. Throws if it is not such a file, or cut off.
prompt_file read_prompt_heads(const std::string & path, size_t tokens_min, bool has_mtmd);

// Throws if not every byte of a file is as it was written.
void check_prompt(const std::string & path);

// Puts a file's states into a sequence. Throws if they do not fit, e.g. because the cache is full.
void read_prompt(const prompt_file & from, server_prompt & prompt, int id_slot,
                 const prompt_contexts & contexts);

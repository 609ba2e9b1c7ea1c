// Prompts in files: an engine that ends writes those that it has computed, and the next one with
// the same model and arguments reads back what a request needs. Lives in llama.cpp's decoding
// loop: patch 0009 calls it there, and nothing else may.
#pragma once

#include "promptfile.h"

#include <functional>
#include <list>
#include <string>
#include <vector>

class prompt_files {
  public:
    // Called with what became of a file: {"file", "outcome": "restored" | "damaged" | "unusable"}.
    void set_callback(std::function<void(const json &)> callback) { tell = std::move(callback); }

    // Answers a question of POST /prompts:
    //   {"do": "list"}                        {"prompts": [{"key", "tokens", "bytes"}]}
    //   {"do": "save", "key", "file"}         {"tokens", "bytes", "replaces": [file]}
    //   {"do": "offer", "files": [{"file", "tokens_min"}]}   {"offered", "damaged": [file]}
    // or {"error"}. Never throws.
    json answer(const json & question, const std::vector<kept_prompt> & kept,
                const prompt_contexts & contexts);

    // The file that spares a request the most tokens beyond those of `has`; null: none is worth it.
    const prompt_file * find(const server_tokens & has, const server_tokens & wanted,
                             const prompt_contexts & contexts) const;

    // Puts a file's prompt into a sequence. False: the sequence has to be cleared.
    bool load(const prompt_file & file, const server_tokens & wanted, server_prompt & prompt,
              int id_slot, const prompt_contexts & contexts);

    // From now on nothing is saved or read: adapters have changed what the same tokens mean.
    void close();

  private:
    json list(const std::vector<kept_prompt> & kept, const prompt_contexts & contexts) const;
    json save(const json & question, const std::vector<kept_prompt> & kept,
              const prompt_contexts & contexts);
    json offer(const json & question, const prompt_contexts & contexts);

    std::list<prompt_file>            offered;
    std::function<void(const json &)> tell;
    bool                              closed = false;
};

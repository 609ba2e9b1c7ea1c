// One request on its way through the library, and the table of those that run.
#pragma once

#include <server-common.h>
#include <server-http.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

struct request {
    const uint64_t              id;
    std::atomic<bool>           cancelled{ false };
    const std::function<bool()> should_stop = [this] { return cancelled.load(); };
    server_http_req             http;

    // `head` is the JSON of llmlb_submit; `body` holds the body followed by the files it lists.
    request(uint64_t id, const json & head, const uint8_t * body, size_t length)
        : id(id), http{ {}, {}, json_value(head, "path", std::string()), "", "", {}, should_stop } {
        const json query = json_value(head, "query", json::object()); // items() refers to it
        for (const auto & [name, value] : query.items()) {
            http.params[name] = value.get<std::string>();
        }
        size_t files_length = 0;
        const json files = json_value(head, "files", json::array());
        for (const auto & file : files) {
            files_length += file.at("size").get<size_t>();
        }
        if (files_length > length) {
            throw std::invalid_argument("files exceed the body");
        }
        http.body.assign((const char *) body, length - files_length);
        const uint8_t * at = body + http.body.size();
        for (const auto & file : files) {
            const size_t size = file.at("size").get<size_t>();
            http.files[file.at("field").get<std::string>()] = {
                raw_buffer(at, at + size),
                file.at("name").get<std::string>(),
                file.at("type").get<std::string>(),
            };
            at += size;
        }
    }
};

class request_registry {
  public:
    void add(const std::shared_ptr<request> & request) {
        std::lock_guard<std::mutex> lock(mutex);
        requests[request->id] = request;
    }

    void remove(uint64_t id) {
        std::lock_guard<std::mutex> lock(mutex);
        requests.erase(id);
    }

    void cancel(uint64_t id) {
        std::lock_guard<std::mutex> lock(mutex);
        const auto found = requests.find(id);
        if (found != requests.end()) {
            found->second->cancelled = true;
        }
    }

    void cancel_all() {
        std::lock_guard<std::mutex> lock(mutex);
        for (auto & [id, request] : requests) {
            request->cancelled = true;
        }
    }

  private:
    std::mutex                                             mutex;
    std::unordered_map<uint64_t, std::shared_ptr<request>> requests;
};

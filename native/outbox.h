// The one way out of the library: events collected from all threads, taken by the JavaScript side.
#pragma once

#include "engine.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

struct event {
    uint64_t    id;
    uint32_t    type;
    std::string payload;
};

class outbox {
  public:
    outbox(llmlb_notify_fn notify, std::chrono::microseconds interval);
    ~outbox();

    void push(uint64_t id, uint32_t type, std::string payload);

    // Data of one request that has not been taken yet is joined into one event. Only what is
    // urgent is told of at once.
    void push_data(uint64_t id, std::string && bytes, bool is_urgent);

    size_t drain(uint8_t * out, size_t capacity);

    // No notification after this returns.
    void close();

  private:
    void run();
    void wake(std::unique_lock<std::mutex> & lock, bool is_urgent);

    const llmlb_notify_fn           notify;
    const std::chrono::microseconds interval;

    std::mutex                         mutex;
    std::condition_variable            changed;
    std::deque<event>                  events;
    std::unordered_map<uint64_t, event *> open_data; // last event of an id, if it is data
    bool                               notified = false; // told, not drained yet
    bool                               urgent   = false; // something waits that must not wait
    bool                               delaying = false; // the notifier waits for its interval
    bool                               closing  = false;
    std::thread                        notifier;
};

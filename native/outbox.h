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

// When the JavaScript side is told of an event.
enum class telling {
    with_next, // another event of the same request follows at once, and tells of this one, too
    soon,      // at most once per interval
    now,
};

class outbox {
  public:
    outbox(llmlb_notify_fn notify, std::chrono::microseconds interval);
    ~outbox();

    void push(uint64_t id, uint32_t type, std::string payload, telling when = telling::now);

    // Data of one request that has not been taken yet is joined into one event.
    void push_data(uint64_t id, std::string && bytes, telling when);

    size_t drain(uint8_t * out, size_t capacity);

    // No notification after this returns.
    void close();

  private:
    void run();
    void added(std::unique_lock<std::mutex> & lock, telling when);
    void tell(std::unique_lock<std::mutex> & lock);

    const llmlb_notify_fn           notify;
    const std::chrono::microseconds interval;

    std::mutex                         mutex;
    std::condition_variable            changed;
    std::deque<event>                  events;
    std::unordered_map<uint64_t, event *> open_data; // last event of an id, if it is data
    bool                               notified = false; // told, not drained yet
    bool                               delaying = false; // the notifier waits for its interval
    bool                               closing  = false;
    int                                tellers  = 0;     // threads that are in `notify`

    std::chrono::steady_clock::time_point told_at; // before that, nothing has been for long
    std::thread                           notifier;
};

#include "outbox.h"

#include <algorithm>
#include <cstring>

namespace {

constexpr size_t FRAME_HEAD_BYTES = 16;

void write_frame_head(uint8_t * out, const event & event, uint32_t length) {
    memcpy(out, &event.id, 8);
    memcpy(out + 8, &event.type, 4);
    memcpy(out + 12, &length, 4);
}

}  // namespace

outbox::outbox(llmlb_notify_fn notify, std::chrono::microseconds interval)
    : notify(notify), interval(interval) {
    notifier = std::thread([this] { run(); });
}

outbox::~outbox() {
    close();
}

void outbox::push(uint64_t id, uint32_t type, std::string payload, telling when) {
    std::unique_lock<std::mutex> lock(mutex);
    if (type <= LLMLB_EVENT_END) { // of later types the id is no request
        open_data.erase(id);
    }
    events.push_back({ id, type, std::move(payload) });
    added(lock, when);
}

void outbox::push_data(uint64_t id, std::string && bytes, telling when) {
    std::unique_lock<std::mutex> lock(mutex);
    const auto open = open_data.find(id);
    if (open != open_data.end()) {
        open->second->payload += bytes;
        added(lock, when);
        return;
    }
    // a deque keeps its elements in place while others are added at its ends
    events.push_back({ id, LLMLB_EVENT_DATA, std::move(bytes) });
    open_data[id] = &events.back();
    added(lock, when);
}

// The thread that brings something tells of it itself, since to wake another thread for that costs
// more than to tell. The notifier is for what has to wait until the interval has passed.
void outbox::added(std::unique_lock<std::mutex> & lock, telling when) {
    if (closing || notified || when == telling::with_next) {
        return;
    }
    if (when == telling::now || std::chrono::steady_clock::now() >= told_at + interval) {
        tell(lock);
    } else if (!delaying) {
        lock.unlock();
        changed.notify_one();
    }
}

// Whoever has been told takes everything, so that nothing is told again before that.
void outbox::tell(std::unique_lock<std::mutex> & lock) {
    notified = true;
    told_at  = std::chrono::steady_clock::now();
    tellers++;
    lock.unlock();
    notify();
    lock.lock();
    tellers--;
    if (closing) {
        changed.notify_all();
    }
}

size_t outbox::drain(uint8_t * out, size_t capacity) {
    std::unique_lock<std::mutex> lock(mutex);
    size_t used = 0;
    while (!events.empty()) {
        event &      first = events.front();
        const size_t size  = first.payload.size();
        if (used + FRAME_HEAD_BYTES + size > capacity) {
            // only the body's bytes may be split
            if (first.type != LLMLB_EVENT_DATA || used + FRAME_HEAD_BYTES >= capacity) {
                break;
            }
            const size_t part = capacity - used - FRAME_HEAD_BYTES;
            write_frame_head(out + used, first, (uint32_t) part);
            memcpy(out + used + FRAME_HEAD_BYTES, first.payload.data(), part);
            first.payload.erase(0, part);
            used = capacity;
            break;
        }
        write_frame_head(out + used, first, (uint32_t) size);
        memcpy(out + used + FRAME_HEAD_BYTES, first.payload.data(), size);
        used += FRAME_HEAD_BYTES + size;
        const auto open = open_data.find(first.id);
        if (open != open_data.end() && open->second == &first) {
            open_data.erase(open);
        }
        events.pop_front();
    }
    const bool more = !events.empty();
    notified = false;
    if (more) {
        told_at = {};
    }
    lock.unlock();
    if (more) {
        changed.notify_one();
    }
    return used;
}

void outbox::close() {
    {
        std::unique_lock<std::mutex> lock(mutex);
        closing = true;
        changed.notify_all();
        changed.wait(lock, [this] { return tellers == 0; });
    }
    if (notifier.joinable()) {
        notifier.join();
    }
}

// Tells of the parts of a running body at most once per interval, so that the tokens of many
// streams travel together.
void outbox::run() {
    std::unique_lock<std::mutex> lock(mutex);
    while (true) {
        changed.wait(lock, [this] { return closing || (!notified && !events.empty()); });
        delaying = true;
        while (!closing && !notified && std::chrono::steady_clock::now() < told_at + interval) {
            changed.wait_until(lock, told_at + interval);
        }
        delaying = false;
        if (closing) {
            return;
        }
        if (!notified && !events.empty()) {
            tell(lock);
        }
    }
}

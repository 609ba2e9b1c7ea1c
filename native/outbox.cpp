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
    : notify(notify), interval(interval), notifier([this] { run(); }) {}

outbox::~outbox() {
    close();
}

void outbox::push(uint64_t id, uint32_t type, std::string payload) {
    std::unique_lock<std::mutex> lock(mutex);
    if (type <= LLMLB_EVENT_END) { // of later types the id is no request
        open_data.erase(id);
    }
    events.push_back({ id, type, std::move(payload) });
    wake(lock, type != LLMLB_EVENT_LOG);
}

void outbox::push_data(uint64_t id, std::string && bytes, bool is_urgent) {
    std::unique_lock<std::mutex> lock(mutex);
    const auto open = open_data.find(id);
    if (open != open_data.end()) {
        open->second->payload += bytes;
        if (is_urgent) {
            wake(lock, true);
        }
        return;
    }
    // a deque keeps its elements in place while others are added at its ends
    events.push_back({ id, LLMLB_EVENT_DATA, std::move(bytes) });
    open_data[id] = &events.back();
    wake(lock, is_urgent);
}

// While the notifier waits for the interval to pass, only what is urgent is worth waking it for.
void outbox::wake(std::unique_lock<std::mutex> & lock, bool is_urgent) {
    const bool tell = !notified && (is_urgent ? !urgent : !delaying);
    urgent          = urgent || is_urgent;
    lock.unlock();
    if (tell) {
        changed.notify_one();
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
    urgent   = urgent && more;
    lock.unlock();
    if (more) {
        changed.notify_one();
    }
    return used;
}

void outbox::close() {
    {
        std::lock_guard<std::mutex> lock(mutex);
        closing = true;
    }
    changed.notify_one();
    if (notifier.joinable()) {
        notifier.join();
    }
}

// Tells of the parts of a running body at most once per interval, so that the tokens of many
// streams travel together, and of everything else at once.
void outbox::run() {
    auto last = std::chrono::steady_clock::now() - interval;
    std::unique_lock<std::mutex> lock(mutex);
    while (true) {
        changed.wait(lock, [this] { return closing || (!notified && !events.empty()); });
        delaying = true;
        changed.wait_until(lock, last + interval, [this] { return closing || urgent; });
        delaying = false;
        if (closing) {
            return;
        }
        notified = true;
        urgent   = false;
        last     = std::chrono::steady_clock::now();
        lock.unlock();
        notify();
        lock.lock();
    }
}

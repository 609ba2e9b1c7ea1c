// Asks llama.cpp's decoding loop every second whether it goes round.
#pragma once

#include <server-context.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

class watch {
  public:
    explicit watch(server_context & context) : context(context) {}

    ~watch() { close(); }

    void start() {
        thread = std::thread([this] { run(); });
    }

    // To be called while the loop still runs: an open question is withdrawn from it.
    void close() {
        {
            std::lock_guard<std::mutex> lock(mutex);
            closing = true;
        }
        changed.notify_all();
        if (thread.joinable()) {
            thread.join();
        }
    }

    uint32_t stalled_ms() const {
        const int64_t since = asked_ms;
        return since == 0 ? 0 : (uint32_t) (now_ms() - since);
    }

  private:
    static constexpr auto PAUSE = std::chrono::seconds(1);

    static int64_t now_ms() {
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    }

    void run() {
        while (true) {
            {
                std::unique_lock<std::mutex> lock(mutex);
                if (changed.wait_for(lock, PAUSE, [this] { return closing.load(); })) {
                    return;
                }
            }
            asked_ms = now_ms();
            ask();
            asked_ms = 0;
        }
    }

    // The loop answers such a question also while it decodes, however long that takes.
    void ask() {
        auto        reader = context.get_response_reader();
        server_task task(SERVER_TASK_TYPE_METRICS);
        task.id = reader.get_new_id();
        reader.post_task(std::move(task), true);
        reader.next([this] { return closing.load(); });
    }

    server_context &        context;
    std::thread             thread;
    std::mutex              mutex;
    std::condition_variable changed;
    std::atomic<bool>       closing{ false };
    std::atomic<int64_t>    asked_ms{ 0 };
};

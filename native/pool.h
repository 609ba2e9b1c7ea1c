// A fixed number of threads that work off a bounded first-in-first-out queue of jobs.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

class pool {
  public:
    explicit pool(size_t threads, size_t waiting_max) : waiting_max(waiting_max) {
        for (size_t i = 0; i < threads; i++) {
            workers.emplace_back([this] { run(); });
        }
    }

    ~pool() { close(); }

    // False if too many jobs wait already.
    bool post(std::function<void()> job) {
        {
            std::lock_guard<std::mutex> lock(mutex);
            if (closing || jobs.size() >= waiting_max) {
                return false;
            }
            jobs.push_back(std::move(job));
        }
        changed.notify_one();
        return true;
    }

    // Works off what waits, then joins the threads.
    void close() {
        {
            std::lock_guard<std::mutex> lock(mutex);
            closing = true;
        }
        changed.notify_all();
        for (auto & worker : workers) {
            if (worker.joinable()) {
                worker.join();
            }
        }
    }

  private:
    void run() {
        while (true) {
            std::function<void()> job;
            {
                std::unique_lock<std::mutex> lock(mutex);
                changed.wait(lock, [this] { return closing || !jobs.empty(); });
                if (jobs.empty()) {
                    return;
                }
                job = std::move(jobs.front());
                jobs.pop_front();
            }
            job();
        }
    }

    const size_t                      waiting_max;
    std::mutex                        mutex;
    std::condition_variable           changed;
    std::deque<std::function<void()>> jobs;
    bool                              closing = false;
    std::vector<std::thread>          workers;
};

#include "natives/cpp/counter.h"
#include <map>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

std::uint64_t count(std::uint32_t threads, std::uint32_t n) {
  std::map<std::uint32_t, std::uint64_t> counts;
  std::mutex lock;
  std::vector<std::thread> running;
  for (std::uint32_t t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < n; ++i) {
        std::scoped_lock held(lock);
        ++counts[t];
      }
    });
  }
  for (auto &thread : running) {
    thread.join();
  }
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0},
                         [](auto sum, const auto &entry) { return sum + entry.second; });
}

void fail(rust::Str text) { throw std::out_of_range(std::string(text)); }

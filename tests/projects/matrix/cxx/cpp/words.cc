#include "matrix-cxx/cpp/words.h"
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

static const std::string &greeting() {
  static const std::string text = std::string("hello ") + std::to_string(17);
  return text;
}

std::uint32_t count(rust::Str text, rust::Str word) {
  std::map<std::string, std::uint32_t> words;
  std::istringstream in{std::string(text)};
  for (std::string next; in >> next;) ++words[next];
  if (auto found = words.find(std::string(word)); found != words.end() && !greeting().empty()) return found->second;
  return 0;
}

std::uint32_t caught_inside() {
  std::optional<std::uint32_t> got;
  try {
    throw std::out_of_range("x");
  } catch (const std::logic_error &) {
    got = 7;
  }
  return got.value_or(0);
}

std::uint32_t thrown() { throw std::runtime_error("thrown in C++"); }

#include <cstdio>
#include <stdexcept>
#include <string>

extern "C" int words(const char *);

int main() {
    try {
        throw std::runtime_error("thrown and caught");
    } catch (const std::exception &e) {
        std::string text = e.what();
        std::printf("%s: %d words\n", text.c_str(), words(text.c_str()));
        return words(text.c_str()) == 3 ? 0 : 1;
    }
}

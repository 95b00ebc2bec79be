int words(const char *text) {
    int n = 0;
    for (; *text; text++)
        n += *text == ' ';
    return n + 1;
}

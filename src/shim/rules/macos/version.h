/* The macOS that the source is compiled for, as a part of what is preprocessed: see macos.rs. Not a word of it is code. */
#pragma GCC system_header
#define XTOOL_TEXT_OF(x) #x
#define XTOOL_PRAGMA(version) _Pragma(XTOOL_TEXT_OF(xtool macos version))
XTOOL_PRAGMA(__ENVIRONMENT_MAC_OS_X_VERSION_MIN_REQUIRED__)
#undef XTOOL_PRAGMA
#undef XTOOL_TEXT_OF

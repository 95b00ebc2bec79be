/* What this compiles to depends on more than the files that are read: compile caches that find __TIME__ in one of them
   look at what is preprocessed. See macos.rs. */
#pragma GCC system_header

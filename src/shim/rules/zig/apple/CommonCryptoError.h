/* xtool: zig ships libSystem's stub with CommonCrypto's functions, but not this header. Only what portable code asks
 * for; an SDK's own takes its place. The interface is public: CCCryptorStatus in man CC_crypto(3cc). */
#pragma once

#include <stdint.h>

typedef int32_t CCStatus;
typedef int32_t CCCryptorStatus;

enum {
  kCCSuccess = 0,
  kCCParamError = -4300,
  kCCBufferTooSmall = -4301,
  kCCMemoryFailure = -4302,
  kCCAlignmentError = -4303,
  kCCDecodeError = -4304,
  kCCUnimplemented = -4305,
  kCCOverflow = -4306,
  kCCRNGFailure = -4307
};

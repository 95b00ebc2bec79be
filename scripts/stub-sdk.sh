#!/usr/bin/env bash
# Makes a small Apple SDK for tests out of what zig ships (libSystem's stubs and headers) and stub frameworks that
# hold only names. Programs link with it; it is no substitute for Apple's.
#
#   scripts/stub-sdk.sh ZIG_FOLDER OUT_FOLDER [LIBCXX_FOLDER]
#
# makes OUT_FOLDER/MacOSX14.5.sdk and prints its path. zig's libc++ headers are for zig's own clang, so C++ comes from a
# folder with the libc++ of the compiler that is to use the SDK: include/c++/v1, and lib/libc++.so.1 and
# lib/libc++abi.so.1, whose names become the stub (the C++ ABI gives them the same names on macOS).
set -euo pipefail

zig=$1
sdk=$2/MacOSX14.5.sdk
libcxx=${3:-}
rm -rf "$sdk"
mkdir -p "$sdk/usr/lib" "$sdk/System/Library/Frameworks"
cp -r "$zig"/lib/libc/include/any-macos-any "$sdk/usr/include" 2>/dev/null ||
  cp -r "$zig"/lib/libc/include/any-darwin-any "$sdk/usr/include"
cp "$zig"/lib/libc/darwin/libSystem.tbd "$sdk/usr/lib/libSystem.B.tbd"
# As in Apple's: the parts of the C library are links to the whole.
for name in System c m pthread dl; do ln -s libSystem.B.tbd "$sdk/usr/lib/lib$name.tbd"; done
printf '{"CanonicalName":"macosx14.5","DisplayName":"macOS 14.5","Version":"14.5","MaximumDeploymentTarget":"14.5.99"}\n' >"$sdk/SDKSettings.json"

# A text-based stub (LLVM's TextAPI, version 4): install name, then symbols.
stub() {
  local install=$1 list
  shift
  list=$(printf '%s, ' "$@")
  printf -- '--- !tapi-tbd\ntbd-version: 4\ntargets: [ x86_64-macos, arm64-macos ]\ninstall-name: %s\n' "'$install'"
  printf 'exports:\n  - targets: [ x86_64-macos, arm64-macos ]\n    symbols: [ %s ]\n...\n' "${list%, }"
}

framework() {
  local name=$1 folder=$sdk/System/Library/Frameworks/$1.framework
  shift
  mkdir -p "$folder/Headers"
  stub "/System/Library/Frameworks/$name.framework/$name" "$@" >"$folder/$name.tbd"
}

framework Stub _stub_answer
printf '#pragma once\nint stub_answer(void);\n' >"$sdk/System/Library/Frameworks/Stub.framework/Headers/Stub.h"

# What rustls-platform-verifier and its like take from macOS.
framework CoreFoundation _CFAllocatorCreate _CFArrayAppendValue _CFArrayCreate _CFArrayCreateMutable _CFArrayGetCount \
  _CFArrayGetValueAtIndex _CFArrayGetTypeID _CFBooleanGetTypeID _CFBooleanGetValue _CFBundleCopyBundleURL \
  _CFBundleGetMainBundle _CFCopyDescription _CFDataCreate _CFDataCreateWithBytesNoCopy _CFDataGetBytePtr \
  _CFDataGetLength _CFDataGetTypeID _CFDateCreate _CFDateGetAbsoluteTime _CFDateGetTypeID _CFDictionaryAddValue \
  _CFDictionaryCreate _CFDictionaryCreateMutable _CFDictionaryGetCount _CFDictionaryGetKeysAndValues \
  _CFDictionaryGetTypeID _CFDictionaryGetValueIfPresent _CFDictionarySetValue _CFEqual _CFErrorCopyDescription \
  _CFErrorGetCode _CFErrorGetDomain _CFErrorGetTypeID _CFGetTypeID _CFHash _CFNumberCreate _CFNumberGetTypeID \
  _CFNumberGetValue _CFRelease _CFRetain _CFShow _CFStringCompare _CFStringCreateWithBytes \
  _CFStringCreateWithBytesNoCopy _CFStringCreateWithCStringNoCopy _CFStringGetBytes _CFStringGetCStringPtr \
  _CFStringGetLength _CFStringGetTypeID _CFURLCopyFileSystemPath _CFURLGetFileSystemRepresentation _CFURLGetTypeID \
  _kCFAbsoluteTimeIntervalSince1970 _kCFAllocatorDefault _kCFAllocatorNull _kCFAllocatorSystemDefault _kCFBooleanFalse _kCFBooleanTrue \
  _kCFCopyStringDictionaryKeyCallBacks _kCFErrorDomainOSStatus _kCFTypeArrayCallBacks \
  _kCFTypeDictionaryKeyCallBacks _kCFTypeDictionaryValueCallBacks
framework Security _SecCertificateCopyData _SecCertificateCopySubjectSummary _SecCertificateCreateWithData \
  _SecCertificateGetTypeID \
  _SecCopyErrorMessageString _SecPolicyCreateBasicX509 _SecPolicyCreateRevocation _SecPolicyCreateSSL \
  _SecPolicyGetTypeID _SecRandomCopyBytes _SecTrustCopyResult _SecTrustCreateWithCertificates \
  _SecTrustEvaluateWithError _SecTrustGetTypeID _SecTrustSetAnchorCertificates _SecTrustSetAnchorCertificatesOnly \
  _SecTrustSetNetworkFetchAllowed _SecTrustSetOCSPResponse _SecTrustSetPolicies _SecTrustSetVerifyDate \
  _SecTrustSettingsCopyCertificates _SecTrustSettingsCopyTrustSettings _kSecRandomDefault \
  _kSecTrustSettingsPolicy _kSecTrustSettingsPolicyName _kSecTrustSettingsResult
framework SystemConfiguration _SCDynamicStoreCopyProxies _SCDynamicStoreCreate _SCDynamicStoreGetTypeID \
  _SCDynamicStoreCreateWithOptions _kSCPropNetProxiesHTTPEnable _kSCPropNetProxiesHTTPPort \
  _kSCPropNetProxiesHTTPProxy _kSCPropNetProxiesHTTPSEnable _kSCPropNetProxiesHTTPSPort _kSCPropNetProxiesHTTPSProxy
stub /usr/lib/libobjc.A.dylib _objc_msgSend _objc_autoreleasePoolPush _objc_autoreleasePoolPop >"$sdk/usr/lib/libobjc.tbd"
stub /usr/lib/libiconv.2.dylib _iconv _iconv_close _iconv_open >"$sdk/usr/lib/libiconv.tbd"
stub /usr/lib/libcharset.1.dylib _locale_charset >"$sdk/usr/lib/libcharset.tbd"

if [ -n "$libcxx" ]; then
  mkdir -p "$sdk/usr/include/c++"
  cp -r "$libcxx/include/c++/v1" "$sdk/usr/include/c++/v1"
  mapfile -t names < <(nm --dynamic --defined-only --format=posix "$libcxx/lib/libc++.so.1" "$libcxx/lib/libc++abi.so.1" |
    sed -nE 's/^((_Z|__cxa_|__gxx_|__dynamic_cast)[^ @]*).*/_\1/p' | sort -u)
  [ ${#names[@]} -gt 1000 ] || { printf 'error: no names in %s\n' "$libcxx/lib" >&2; exit 1; }
  stub /usr/lib/libc++.1.dylib "${names[@]}" >"$sdk/usr/lib/libc++.1.tbd"
  ln -s libc++.1.tbd "$sdk/usr/lib/libc++.tbd"
fi

printf '%s\n' "$sdk"

// Socket addresses between JavaScript and the kernel.
#pragma once

#include <node_api.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace cq {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// Reads (family, address, port) from arguments: text for INET and INET6 ("fe80::1%eth0" too), a
// Uint8Array of the path's bytes for UNIX, empty for an unnamed one. Returns 0 or -errno.
int address_from_js(napi_env env, int family, napi_value address, int port, Address& out);

// [family, address, port], [AF_UNIX, bytes | undefined] or [AF_UNSPEC].
napi_value address_to_js(napi_env env, Address& address);

}  // namespace cq

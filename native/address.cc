// Socket addresses: numeric text and paths to sockaddr and back. No name is ever looked up here.
// The surprise: an AF_UNIX address is as long as the kernel says, not as a NUL byte says.
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>

#include <cstring>

#include "adapter.h"

namespace cq {
namespace {

constexpr size_t PATH_OFFSET = offsetof(sockaddr_un, sun_path);

int scope_number(const char* text) {
  if (unsigned index = if_nametoindex(text)) return static_cast<int>(index);
  char* end;
  unsigned long number = strtoul(text, &end, 10);
  return *text && !*end && number > 0 && number <= INT32_MAX ? static_cast<int>(number) : -1;
}

int parse_inet(int family, char* text, int port, Address& out) {
  if (port < 0 || port > 65535) return -EINVAL;
  if (family == AF_INET) {
    auto* in = reinterpret_cast<sockaddr_in*>(&out.storage);
    in->sin_family = AF_INET;
    in->sin_port = htons(static_cast<uint16_t>(port));
    out.length = sizeof *in;
    return inet_pton(AF_INET, text, &in->sin_addr) == 1 ? 0 : -EINVAL;
  }
  auto* in6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(static_cast<uint16_t>(port));
  out.length = sizeof *in6;
  if (char* percent = strchr(text, '%')) {
    *percent = 0;
    int scope = scope_number(percent + 1);
    if (scope < 0) return -ENODEV;
    in6->sin6_scope_id = static_cast<uint32_t>(scope);
  }
  return inet_pton(AF_INET6, text, &in6->sin6_addr) == 1 ? 0 : -EINVAL;
}

int parse_unix(napi_env env, napi_value path, Address& out) {
  auto* un = reinterpret_cast<sockaddr_un*>(&out.storage);
  un->sun_family = AF_UNIX;
  napi_typedarray_type type;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(env, path, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array)
    return -EINVAL;
  bool abstract = length > 0 && static_cast<char*>(data)[0] == 0;
  // A path ends in a NUL, an abstract name is all of its bytes.
  if (length > sizeof un->sun_path - (abstract ? 0 : 1)) return -ENAMETOOLONG;
  if (!abstract && length > 0 && memchr(data, 0, length)) return -EINVAL;
  if (length > 0) memcpy(un->sun_path, data, length);
  out.length = static_cast<socklen_t>(PATH_OFFSET + length + (abstract || length == 0 ? 0 : 1));
  return 0;
}

napi_value list(napi_env env, const napi_value* values, uint32_t count) {
  napi_value result = nullptr;
  napi_create_array_with_length(env, count, &result);
  for (uint32_t i = 0; i < count; i++) napi_set_element(env, result, i, values[i]);
  return result;
}

}  // namespace

int address_from_js(napi_env env, int family, napi_value address, int port, Address& out) {
  if (family == AF_UNIX) return parse_unix(env, address, out);
  if (family != AF_INET && family != AF_INET6) return -EAFNOSUPPORT;
  char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
  size_t length;
  if (napi_get_value_string_latin1(env, address, text, sizeof text, &length) != napi_ok) return -EINVAL;
  if (length >= sizeof text - 1 || strlen(text) != length) return -EINVAL;
  return parse_inet(family, text, port, out);
}

napi_value address_to_js(napi_env env, Address& address) {
  napi_value values[3] = {};
  int family = address.length >= sizeof(sa_family_t) ? address.storage.ss_family : AF_UNSPEC;
  napi_create_int32(env, family, &values[0]);
  if (family == AF_UNIX) {
    auto* un = reinterpret_cast<sockaddr_un*>(&address.storage);
    size_t length = address.length > PATH_OFFSET ? address.length - PATH_OFFSET : 0;
    if (length > sizeof un->sun_path) length = sizeof un->sun_path;
    if (length > 0 && un->sun_path[0] != 0) length = strnlen(un->sun_path, length);
    if (length == 0) {
      napi_get_undefined(env, &values[1]);
    } else {
      napi_create_buffer_copy(env, length, un->sun_path, nullptr, &values[1]);
    }
    return list(env, values, 2);
  }
  if (family != AF_INET && family != AF_INET6) return list(env, values, 1);
  char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 2] = "";
  int port;
  if (family == AF_INET) {
    auto* in = reinterpret_cast<sockaddr_in*>(&address.storage);
    inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    port = ntohs(in->sin_port);
  } else {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
    char name[IF_NAMESIZE];
    if (in6->sin6_scope_id && if_indextoname(in6->sin6_scope_id, name)) {
      strcat(text, "%");
      strcat(text, name);
    }
    port = ntohs(in6->sin6_port);
  }
  napi_create_string_latin1(env, text, NAPI_AUTO_LENGTH, &values[1]);
  napi_create_int32(env, port, &values[2]);
  return list(env, values, 3);
}

namespace {

// (fd, family, address, port) -> 0 or -errno
template <int (*Fn)(int, const sockaddr*, socklen_t)>
napi_value with_address(napi_env env, napi_callback_info info) {
  Call<4> c(env, info);
  Address address;
  int error = address_from_js(env, c.integer(env, 1), c.args[2], c.integer(env, 3), address);
  if (error < 0) return to_js(env, error);
  return to_js(env, Fn(c.integer(env, 0), address.get(), address.length) < 0 ? -errno : 0);
}

// (fd) -> a name as address_to_js has it, or -errno
template <int (*Fn)(int, sockaddr*, socklen_t*)>
napi_value name_of(napi_env env, napi_callback_info info) {
  Call<1> c(env, info);
  Address address;
  address.length = sizeof address.storage;
  if (Fn(c.integer(env, 0), address.get(), &address.length) < 0) return to_js(env, -errno);
  return address_to_js(env, address);
}

int connect_retrying(int fd, const sockaddr* address, socklen_t length) {
  // An interrupted connect goes on by itself; asking again says EALREADY, which is what we want to know.
  int result = connect(fd, address, length);
  if (result < 0 && errno == EINTR) errno = EINPROGRESS;
  return result;
}

int bind_plain(int fd, const sockaddr* address, socklen_t length) { return bind(fd, address, length); }
int peer_name(int fd, sockaddr* address, socklen_t* length) { return getpeername(fd, address, length); }
int socket_name(int fd, sockaddr* address, socklen_t* length) { return getsockname(fd, address, length); }

// recvfrom(fd, region, offset, length) -> [bytes, family, address, port] or -errno. The byte count is the
// datagram's own, so a truncated one can be told.
napi_value receive_from(napi_env env, napi_callback_info info) {
  Call<4> c(env, info);
  int length = c.integer(env, 3);
  char* data = c.state->span(c.integer(env, 1), c.integer(env, 2), length);
  if (!data) return to_js(env, -EFAULT);
  Address address;
  ssize_t n;
  do {
    address.length = sizeof address.storage;
    n = recvfrom(c.integer(env, 0), data, length, MSG_DONTWAIT | MSG_TRUNC, address.get(), &address.length);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return to_js(env, -errno);
  napi_value from = address_to_js(env, address);
  napi_value values[] = {to_js(env, static_cast<int>(n)), from};
  return list(env, values, 2);
}

// sendto(fd, Uint8Array, family, address, port) -> bytes or -errno
napi_value send_to(napi_env env, napi_callback_info info) {
  Call<5> c(env, info);
  napi_typedarray_type type;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(env, c.args[1], &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array)
    return to_js(env, -EINVAL);
  Address address;
  int error = address_from_js(env, c.integer(env, 2), c.args[3], c.integer(env, 4), address);
  if (error < 0) return to_js(env, error);
  ssize_t n;
  do n = sendto(c.integer(env, 0), data, length, MSG_NOSIGNAL | MSG_DONTWAIT, address.get(), address.length);
  while (n < 0 && errno == EINTR);
  return to_js(env, n < 0 ? -errno : static_cast<int>(n));
}

// isAddress(family, text): whether the text is a numeric address of that family.
napi_value is_address(napi_env env, napi_callback_info info) {
  Call<2> c(env, info);
  Address address;
  int error = address_from_js(env, c.integer(env, 0), c.args[1], 0, address);
  return to_js(env, error == 0 || error == -ENODEV ? 1 : 0);
}

}  // namespace

void define_address(napi_env env, napi_value exports, State* state) {
  const Export list[] = {
      {"connect", with_address<&connect_retrying>}, {"bind", with_address<&bind_plain>},
      {"peername", name_of<&peer_name>},            {"sockname", name_of<&socket_name>},
      {"recvfrom", receive_from},                   {"sendto", send_to},
      {"isAddress", is_address},
  };
  define(env, exports, state, list);
}

}  // namespace cq

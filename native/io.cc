// Sending and receiving: one system call each, never waiting, never raising SIGPIPE.
#include <errno.h>
#include <sys/socket.h>

#include "adapter.h"

namespace cq {
namespace {

// send(fd, region, offset, length) -> bytes or -errno
int send_region(State& state, int fd, int region, int offset, int length) {
  char* data = state.span(region, offset, length);
  if (!data) return -EFAULT;
  ssize_t n;
  do n = send(fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : static_cast<int>(n);
}

// recv(fd, region, offset, length) -> bytes (0 at end of file) or -errno
int receive_region(State& state, int fd, int region, int offset, int length) {
  char* data = state.span(region, offset, length);
  if (!data) return -EFAULT;
  ssize_t n;
  do n = recv(fd, data, length, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : static_cast<int>(n);
}

// sendBytes(fd, Uint8Array, offset, length) -> bytes or -errno: a user's own bytes, not copied.
napi_value send_bytes(napi_env env, napi_callback_info info) {
  Call<4> c(env, info);
  napi_typedarray_type type;
  size_t size;
  void* data;
  if (napi_get_typedarray_info(env, c.args[1], &type, &size, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array)
    return to_js(env, -EINVAL);
  int offset = c.integer(env, 2), length = c.integer(env, 3);
  // A detached or shrunk buffer is no longer what it was when the write began.
  if (offset < 0 || length < 0 || static_cast<size_t>(offset) + length > size) return to_js(env, -EFAULT);
  ssize_t n;
  do n = send(c.integer(env, 0), static_cast<char*>(data) + offset, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return to_js(env, n < 0 ? -errno : static_cast<int>(n));
}

}  // namespace

void define_io(napi_env env, napi_value exports, State* state) {
  const Export list[] = {
      {"send", Int<&send_region>::call},
      {"recv", Int<&receive_region>::call},
      {"sendBytes", send_bytes},
  };
  define(env, exports, state, list);
}

}  // namespace cq

// Sending and receiving as JavaScript calls them.
#include "io.h"

#include "adapter.h"

namespace cq {
namespace {

// send(fd, region, offset, length) -> bytes or -errno
int send_region(State& state, int fd, int region, int offset, int length) {
  char* data = state.span(region, offset, length);
  if (!data) return -EFAULT;
  return send_bytes(fd, data, length);
}

// recv(fd, region, offset, length) -> bytes (0 at end of file) or -errno
int receive_region(State& state, int fd, int region, int offset, int length) {
  char* data = state.span(region, offset, length);
  if (!data) return -EFAULT;
  return receive_bytes(fd, data, length);
}

// sendBytes(fd, Uint8Array, offset, length) -> bytes or -errno: a user's own bytes, not copied.
napi_value send_array(napi_env env, napi_callback_info info) {
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
  return to_js(env, send_bytes(c.integer(env, 0), static_cast<char*>(data) + offset, length));
}

}  // namespace

void define_io(napi_env env, napi_value exports, State* state) {
  const Export list[] = {
      {"send", Int<&send_region>::call},
      {"recv", Int<&receive_region>::call},
      {"sendBytes", send_array},
  };
  define(env, exports, state, list);
}

}  // namespace cq

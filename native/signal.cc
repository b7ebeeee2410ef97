// pause: pselect(2) for a controller. The signals waited for are let through for just that long. The
// surprise: one whose disposition is the default would end the process, so it gets a handler that does
// nothing, for as long as the wait lasts.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "adapter.h"

namespace cq {
namespace {

constexpr uint32_t MOST = 64;

void noop(int) {}

struct Replaced {
  int number;
  struct sigaction before;
};

// pause(poller, seconds, nanoseconds, signals) -> 1 ready, 0 timed out, -EINTR for a signal, or -errno.
napi_value pause(napi_env env, napi_callback_info info) {
  Call<4> c(env, info);
  Poller* poller = c.state->poller(c.integer(env, 0));
  uint32_t count = 0;
  if (!poller) return to_js(env, -EBADF);
  if (napi_get_array_length(env, c.args[3], &count) != napi_ok || count > MOST) return to_js(env, -EINVAL);
  int numbers[MOST];
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    napi_get_element(env, c.args[3], i, &element);
    if (napi_get_value_int32(env, element, &numbers[i]) != napi_ok) return to_js(env, -EINVAL);
  }

  sigset_t everything, during;
  sigfillset(&everything);
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, &everything, &before);
  during = before;
  Replaced replaced[MOST];
  uint32_t changed = 0;
  int result = 0;
  for (uint32_t i = 0; i < count && result == 0; i++) {
    struct sigaction current;
    if (sigdelset(&during, numbers[i]) < 0 || sigaction(numbers[i], nullptr, &current) < 0) {
      result = -errno;
    } else if (!(current.sa_flags & SA_SIGINFO) && current.sa_handler == SIG_DFL) {
      struct sigaction handler {};
      handler.sa_handler = noop;
      sigfillset(&handler.sa_mask);
      if (sigaction(numbers[i], &handler, nullptr) == 0) replaced[changed++] = {numbers[i], current};
    }
  }
  if (result == 0) {
    timespec timeout{c.integer(env, 1), c.integer(env, 2)};
    pollfd entry{poller->kernel.fd, POLLIN, 0};
    result = ppoll(&entry, 1, timeout.tv_sec < 0 ? nullptr : &timeout, &during);
    if (result < 0) result = -errno;
  }
  for (uint32_t i = 0; i < changed; i++) sigaction(replaced[i].number, &replaced[i].before, nullptr);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return to_js(env, result);
}

}  // namespace

void define_signal(napi_env env, napi_value exports, State* state) {
  const Export list[] = {{"pause", pause}};
  define(env, exports, state, list);
}

}  // namespace cq

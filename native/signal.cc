// pause: pselect(2) for a controller. The signals waited for are let through for just that long. The surprise:
// the kernel may give a signal of the process to any of its threads, and only in the one that waits does it
// interrupt the wait. So each gets a handler meanwhile, which passes it on to that thread. Dispositions belong
// to the process: what is kept of them are the addon's only static variables.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <mutex>

#include "adapter.h"

namespace cq {
namespace {

constexpr uint32_t MOST = 64;
constexpr int LAST_SIGNAL = 64;

// Of one signal: how many threads wait for it, the last of them, and what its disposition was.
struct Waited {
  int count = 0;
  bool replaced = false;
  bool handled = false;  // by a handler of somebody's, which has to hear of it too
  struct sigaction before {};
  std::atomic<pthread_t> thread{};
  std::atomic<bool> passed{false};
};

Waited waited[LAST_SIGNAL + 1];
std::mutex waited_mutex;

void on_signal(int number, siginfo_t* info, void* context) {
  int saved = errno;
  Waited& its = waited[number];
  if (!its.passed.exchange(false)) {
    if (its.handled && its.before.sa_flags & SA_SIGINFO) {
      its.before.sa_sigaction(number, info, context);
    } else if (its.handled) {
      its.before.sa_handler(number);
    }
    pthread_t thread = its.thread;
    if (!pthread_equal(thread, pthread_self())) {
      its.passed = true;
      pthread_kill(thread, number);
    }
  }
  errno = saved;
}

// Whether somebody handles the signal, and not the system's default, nor what Node does by itself, which ends
// the process or starts the debugger. The handlers behind process.on() are libuv's, known by their flags.
bool is_handled(const struct sigaction& action) {
  if (action.sa_flags & SA_SIGINFO) return true;
  return action.sa_handler != SIG_DFL && action.sa_flags & SA_RESTART && !(action.sa_flags & SA_RESETHAND);
}

int acquire(int number) {
  std::lock_guard lock(waited_mutex);
  Waited& its = waited[number];
  if (its.count == 0) {
    if (sigaction(number, nullptr, &its.before) < 0) return -errno;
    its.replaced = false;
    if (its.before.sa_flags & SA_SIGINFO || its.before.sa_handler != SIG_IGN) {
      its.handled = is_handled(its.before);
      its.passed = false;
      its.thread = pthread_self();
      struct sigaction handler {};
      handler.sa_sigaction = on_signal;
      handler.sa_flags = SA_SIGINFO;
      sigfillset(&handler.sa_mask);
      its.replaced = sigaction(number, &handler, nullptr) == 0;  // not SIGKILL and SIGSTOP
    }
  }
  its.thread = pthread_self();
  its.count++;
  return 0;
}

// Unless somebody has changed it since, the disposition is what it was. All signals are blocked here: one that
// was passed on too late for the wait is taken now, when it has been handled already.
void release(int number) {
  std::lock_guard lock(waited_mutex);
  Waited& its = waited[number];
  if (its.passed.exchange(false)) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    timespec now{};
    while (sigtimedwait(&one, nullptr, &now) < 0 && errno == EINTR) continue;
  }
  if (--its.count > 0 || !its.replaced) return;
  struct sigaction current;
  if (sigaction(number, nullptr, &current) == 0 && current.sa_flags & SA_SIGINFO &&
      current.sa_sigaction == on_signal)
    sigaction(number, &its.before, nullptr);
}

// pause(poller, seconds, nanoseconds, signals) -> 1 ready, 0 timed out, -EINTR for a signal, or -errno.
napi_value pause(napi_env env, napi_callback_info info) {
  Call<4> c(env, info);
  Poller* poller = c.state->poller(c.integer(env, 0));
  uint32_t count = 0;
  if (!poller) return to_js(env, -EBADF);
  if (napi_get_array_length(env, c.args[3], &count) != napi_ok || count > MOST) return to_js(env, -EINVAL);
  int numbers[MOST];
  sigset_t during;
  sigfillset(&during);
  for (uint32_t i = 0; i < count; i++) {
    napi_value element = nullptr;
    if (napi_get_element(env, c.args[3], i, &element) != napi_ok ||
        napi_get_value_int32(env, element, &numbers[i]) != napi_ok || numbers[i] < 1 || numbers[i] > LAST_SIGNAL ||
        sigdelset(&during, numbers[i]) < 0)
      return to_js(env, -EINVAL);
  }

  sigset_t everything, before;
  sigfillset(&everything);
  pthread_sigmask(SIG_SETMASK, &everything, &before);
  int result = 0;
  uint32_t acquired = 0;
  while (acquired < count && (result = acquire(numbers[acquired])) == 0) acquired++;
  if (result == 0) {
    timespec timeout{c.integer(env, 1), c.integer(env, 2)};
    pollfd entry{poller->kernel.fd, POLLIN, 0};
    result = ppoll(&entry, 1, timeout.tv_sec < 0 ? nullptr : &timeout, &during);
    if (result < 0) result = -errno;
  }
  while (acquired > 0) release(numbers[--acquired]);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return to_js(env, result);
}

}  // namespace

void define_signal(napi_env env, napi_value exports, State* state) {
  const Export list[] = {{"pause", pause}};
  define(env, exports, state, list);
}

}  // namespace cq

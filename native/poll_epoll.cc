// The epoll backend. epoll names a registration by the pair (number, open file), which is why kpoll_set
// must remove a descriptor before its number is closed.
#include "poll.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace cq {
namespace {

constexpr uint64_t ALERT_TAG = UINT64_MAX;
constexpr int MAX_EVENTS = 256;

uint32_t to_epoll(int events) {
  uint32_t mask = 0;
  if (events & EV_READ) mask |= EPOLLIN;
  if (events & EV_WRITE) mask |= EPOLLOUT;
  if (events & EV_PRIORITY) mask |= EPOLLPRI;
  return mask;
}

int from_epoll(uint32_t events) {
  if (events & (EPOLLERR | EPOLLHUP)) return EV_READ | EV_WRITE | EV_PRIORITY;
  return (events & EPOLLIN ? EV_READ : 0) | (events & EPOLLOUT ? EV_WRITE : 0) |
         (events & EPOLLPRI ? EV_PRIORITY : 0);
}

int wait_milliseconds(int fd, epoll_event* events, int max, const timespec* timeout) {
  // Rounded up, so that a timer is never early.
  int64_t ms = timeout ? timeout->tv_sec * 1000LL + (timeout->tv_nsec + 999999) / 1000000 : -1;
  return epoll_wait(fd, events, max, static_cast<int>(std::min<int64_t>(ms, 1 << 30)));
}

int wait_precise(int fd, epoll_event* events, int max, const timespec* timeout) {
#ifdef SYS_epoll_pwait2
  if (timeout && (timeout->tv_sec || timeout->tv_nsec)) {
    int n = static_cast<int>(syscall(SYS_epoll_pwait2, fd, events, max, timeout, nullptr, 0));
    if (n >= 0 || errno != ENOSYS) return n;
  }
#endif
  return wait_milliseconds(fd, events, max, timeout);
}

}  // namespace

int kpoll_open(Kpoll& kp) {
  kp.fd = epoll_create1(EPOLL_CLOEXEC);
  return kp.fd < 0 ? -errno : 0;
}

int kpoll_renew(Kpoll& kp) {
  Kpoll fresh;
  int error = kpoll_open(fresh);
  if (error == 0 && kp.alert >= 0) error = kpoll_prepare_alert(fresh);
  if (error == 0 && dup3(fresh.fd, kp.fd, O_CLOEXEC) < 0) error = -errno;
  if (error == 0) std::swap(fresh.alert, kp.alert);
  kpoll_close(fresh);
  return error;
}

void kpoll_close(Kpoll& kp) {
  if (kp.alert >= 0) close(kp.alert);
  if (kp.fd >= 0) close(kp.fd);
  kp.alert = kp.fd = -1;
}

int kpoll_set(Kpoll& kp, int fd, uint64_t tag, int before, int now) {
  epoll_event event{};
  event.events = to_epoll(now);
  event.data.u64 = tag;
  int op = now == 0 ? EPOLL_CTL_DEL : before == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (epoll_ctl(kp.fd, op, fd, &event) == 0) return 0;
  // The number was closed without being removed, and stands for another file now.
  if (op == EPOLL_CTL_MOD && errno == ENOENT && epoll_ctl(kp.fd, EPOLL_CTL_ADD, fd, &event) == 0) return 0;
  return -errno;
}

int kpoll_wait(Kpoll& kp, KpollEvent* events, int max, const timespec* timeout, bool& alerted) {
  epoll_event ready[MAX_EVENTS];
  alerted = false;
  int n = wait_precise(kp.fd, ready, std::min(max, MAX_EVENTS), timeout);
  if (n < 0) return -errno;
  int count = 0;
  for (int i = 0; i < n; i++) {
    if (ready[i].data.u64 == ALERT_TAG) {
      uint64_t drained;
      while (read(kp.alert, &drained, sizeof drained) < 0 && errno == EINTR) continue;
      alerted = true;
      continue;
    }
    events[count++] = {ready[i].data.u64, from_epoll(ready[i].events)};
  }
  return count;
}

int kpoll_prepare_alert(Kpoll& kp) {
  if (kp.alert >= 0) return 0;
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return -errno;
  int error = kpoll_set(kp, fd, ALERT_TAG, 0, EV_READ);
  if (error < 0) {
    close(fd);
    return error;
  }
  kp.alert = fd;
  return 0;
}

int kpoll_raise_alert(Kpoll& kp) {
  if (kp.alert < 0) return 0;
  uint64_t one = 1;
  while (write(kp.alert, &one, sizeof one) < 0) {
    if (errno == EAGAIN) return 0;  // already raised as high as it goes
    if (errno != EINTR) return -errno;
  }
  return 0;
}

}  // namespace cq

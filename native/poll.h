// The poll backend: all that a controller needs from the kernel's readiness facility. One file implements
// it for each facility (poll_epoll.cc); the build chooses. Functions return 0 or more, or a negative errno.
#pragma once

#include <time.h>

#include <cstdint>

namespace cq {

enum : int { EV_READ = 1, EV_WRITE = 2, EV_PRIORITY = 4 };

struct KpollEvent {
  uint64_t tag;
  int events;
};

struct Kpoll {
  int fd = -1;
  int alert = -1;  // wakes a wait, and makes `fd` readable for whoever polls it; made when first asked for
};

int kpoll_open(Kpoll& kp);

// A new kernel object, which knows nothing, under the same descriptor number; the alert is made again where
// there was one. Whoever watches the number has to register it again.
int kpoll_renew(Kpoll& kp);
void kpoll_close(Kpoll& kp);

// Registers, changes or removes (`now` is 0) the events of a descriptor. `before` is what is registered;
// `tag` comes back with each event. A descriptor is removed before it is closed, always: a closed number
// whose file lives on through a duplicate would go on reporting and could never be removed.
int kpoll_set(Kpoll& kp, int fd, uint64_t tag, int before, int now);

// Waits for at most `max` events; a null timeout waits for ever. Sets `alerted` when the alert was raised,
// and lowers it. An error or hang-up of a descriptor is reported as all of its directions.
int kpoll_wait(Kpoll& kp, KpollEvent* events, int max, const timespec* timeout, bool& alerted);

int kpoll_prepare_alert(Kpoll& kp);
int kpoll_raise_alert(Kpoll& kp);

}  // namespace cq

// Sockets: making, accepting, options, closing. Each function is one system call and returns its result or
// -errno. Every descriptor is made close-on-exec and non-blocking in the call that makes it where the
// system can.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "adapter.h"

namespace cq {
namespace {

int owned(State& state, int fd) {
  if (fd < 0) return -errno;
  state.own(fd);
  return fd;
}

int make_socket(State& state, int family, int type, int protocol) {
  return owned(state, socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}

// socketpair(family, type) -> the first; the second is out[0].
int make_pair(State& state, int family, int type) {
  int fds[2];
  if (!state.out) return -EFAULT;
  if (socketpair(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0) return -errno;
  state.own(fds[0]);
  state.own(fds[1]);
  state.out[0] = fds[1];
  return fds[0];
}

int accept_one(State& state, int fd) {
  int accepted;
  do accepted = accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  while (accepted < 0 && errno == EINTR);
  return owned(state, accepted);
}

int start_listening(State&, int fd, int backlog) { return listen(fd, backlog) < 0 ? -errno : 0; }

int duplicate(State& state, int fd) { return owned(state, fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

// adopt(fd): the descriptor is ours to close from now on. Not ours already, and open.
int adopt(State& state, int fd) {
  if (fd < 0 || fcntl(fd, F_GETFD) < 0) return -EBADF;
  if (fd < static_cast<int>(state.owned.size()) && state.owned[fd]) return -EEXIST;
  state.own(fd);
  return fd;
}

// After close returns the number is free, also when it says EINTR (close(2), Linux).
int close_owned(State& state, int fd) {
  if (!state.disown(fd)) return -EBADF;
  return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

int shut(State&, int fd, int how) { return shutdown(fd, how) < 0 ? -errno : 0; }

int set_option(State&, int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

// getsockopt(fd, level, name) -> 0, the value in out[0]
int get_option(State& state, int fd, int level, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  if (!state.out) return -EFAULT;
  if (getsockopt(fd, level, name, &value, &length) < 0) return -errno;
  state.out[0] = value;
  return 0;
}

// peercred(fd) -> 0; pid, uid, gid in out
int peer_credentials(State& state, int fd) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (!state.out) return -EFAULT;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) return -errno;
  state.out[0] = credentials.pid;
  state.out[1] = static_cast<int>(credentials.uid);
  state.out[2] = static_cast<int>(credentials.gid);
  return 0;
}

int set_flag(int fd, int get, int set, int flag, int on) {
  int flags = fcntl(fd, get);
  if (flags < 0) return -errno;
  int wanted = on ? flags | flag : flags & ~flag;
  return wanted == flags || fcntl(fd, set, wanted) >= 0 ? 0 : -errno;
}

int set_nonblock(State&, int fd, int on) { return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on); }
int set_cloexec(State&, int fd, int on) { return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on); }

// set_umask(mask) -> the one before. It is the whole process's: put it back in the same turn.
int set_umask(State&, int mask) { return static_cast<int>(umask(static_cast<mode_t>(mask))); }

struct Constant {
  const char* name;
  int value;
};

const Constant CONSTANTS[] = {
    {"AF_UNSPEC", AF_UNSPEC},
    {"AF_INET", AF_INET},
    {"AF_INET6", AF_INET6},
    {"AF_UNIX", AF_UNIX},
    {"SOCK_STREAM", SOCK_STREAM},
    {"SOCK_DGRAM", SOCK_DGRAM},
    {"SOCK_SEQPACKET", SOCK_SEQPACKET},
    {"SOL_SOCKET", SOL_SOCKET},
    {"SO_ACCEPTCONN", SO_ACCEPTCONN},
    {"SO_BROADCAST", SO_BROADCAST},
    {"SO_DOMAIN", SO_DOMAIN},
    {"SO_ERROR", SO_ERROR},
    {"SO_OOBINLINE", SO_OOBINLINE},
    {"SO_RCVBUF", SO_RCVBUF},
    {"SO_REUSEADDR", SO_REUSEADDR},
    {"SO_REUSEPORT", SO_REUSEPORT},
    {"SO_SNDBUF", SO_SNDBUF},
    {"SO_TYPE", SO_TYPE},
    {"IPPROTO_IPV6", IPPROTO_IPV6},
    {"IPPROTO_TCP", IPPROTO_TCP},
    {"IPV6_V6ONLY", IPV6_V6ONLY},
    {"TCP_CORK", TCP_CORK},
    {"TCP_NODELAY", TCP_NODELAY},
    {"SHUT_RD", SHUT_RD},
    {"SHUT_WR", SHUT_WR},
    {"SHUT_RDWR", SHUT_RDWR},
};

}  // namespace

void define_socket(napi_env env, napi_value exports, State* state) {
  const Export list[] = {
      {"socket", Int<&make_socket>::call},
      {"socketpair", Int<&make_pair>::call},
      {"accept", Int<&accept_one>::call},
      {"listen", Int<&start_listening>::call},
      {"dup", Int<&duplicate>::call},
      {"adopt", Int<&adopt>::call},
      {"close", Int<&close_owned>::call},
      {"shutdown", Int<&shut>::call},
      {"setsockopt", Int<&set_option>::call},
      {"getsockopt", Int<&get_option>::call},
      {"peercred", Int<&peer_credentials>::call},
      {"setNonblock", Int<&set_nonblock>::call},
      {"setCloexec", Int<&set_cloexec>::call},
      {"umask", Int<&set_umask>::call},
  };
  define(env, exports, state, list);
  napi_value constants;
  napi_create_object(env, &constants);
  for (const Constant& constant : CONSTANTS)
    napi_set_named_property(env, constants, constant.name, to_js(env, constant.value));
  napi_set_named_property(env, exports, "constants", constants);
}

}  // namespace cq

// Messages with a descriptor beside them (SCM_RIGHTS, unix(7)). Whatever descriptors arrive beyond the one
// that is asked for, or with a truncated message, are closed here: a peer cannot fill our table.
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "adapter.h"

namespace cq {
namespace {

// sendmsg(fd, region, offset, length, passed) -> bytes or -errno; `passed` is -1 for none.
int send_message(State& state, int fd, int region, int offset, int length, int passed) {
  char* data = state.span(region, offset, length);
  if (!data) return -EFAULT;
  iovec vector{data, static_cast<size_t>(length)};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (passed >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &passed, sizeof passed);
  }
  ssize_t n;
  do n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : static_cast<int>(n);
}

// recvmsg(fd, region, offset, length) -> bytes or -errno; out[0] is the descriptor that came or -1, out[1]
// is 1 when the message or its descriptors were truncated (then none is kept).
int receive_message(State& state, int fd, int region, int offset, int length) {
  char* data = state.span(region, offset, length);
  if (!data || !state.out) return -EFAULT;
  iovec vector{data, static_cast<size_t>(length)};
  constexpr int MOST = 253;  // SCM_MAX_FD
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * MOST)];
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t n;
  do n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n < 0) return -errno;
  bool truncated = message.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
  int kept = -1;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int received;
      memcpy(&received, CMSG_DATA(header) + i * sizeof(int), sizeof received);
      if (kept < 0 && !truncated) {
        kept = received;
      } else {
        close(received);
      }
    }
  }
  if (kept >= 0) state.own(kept);
  state.out[0] = kept;
  state.out[1] = truncated ? 1 : 0;
  return static_cast<int>(n);
}

}  // namespace

void define_ancillary(napi_env env, napi_value exports, State* state) {
  const Export list[] = {
      {"sendmsg", Int<&send_message>::call},
      {"recvmsg", Int<&receive_message>::call},
  };
  define(env, exports, state, list);
}

}  // namespace cq

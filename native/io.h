// The two system calls that everything else is about, with what every caller wants of them: EINTR retried,
// never waiting, never raising SIGPIPE. Pipes and terminals are read and written too, by their own calls;
// their descriptors were made non-blocking when they were taken over.
#pragma once

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cq {

// Bytes received, 0 at the end of file, or -errno.
inline int receive_bytes(int fd, char* data, int length) {
  ssize_t n;
  do n = recv(fd, data, length, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n < 0 && errno == ENOTSOCK) {
    do n = read(fd, data, length);
    while (n < 0 && errno == EINTR);
  }
  return n < 0 ? -errno : static_cast<int>(n);
}

// Bytes sent, or -errno. SIGPIPE of a pipe is ignored by Node itself.
inline int send_bytes(int fd, const char* data, int length) {
  ssize_t n;
  do n = send(fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n < 0 && errno == ENOTSOCK) {
    do n = write(fd, data, length);
    while (n < 0 && errno == EINTR);
  }
  return n < 0 ? -errno : static_cast<int>(n);
}

}  // namespace cq

/*
 * The bound for an echo server on epoll: level-triggered, one recv and one send per readiness.
 * It looks at no lines, so what a client has pipelined goes back in one piece; no library that
 * hands over lines can do less work than this.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 65536

/* One per connection; `rest` holds what a short write left, and while it does nothing is read. */
struct conn {
  int fd;
  char *rest;
  size_t from, upto;
};

static char chunk[CHUNK];
static int epfd;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void watch(int op, int fd, uint32_t events, void *data) {
  struct epoll_event ev = {.events = events, .data.ptr = data};
  if (epoll_ctl(epfd, op, fd, &ev) != 0) die("epoll_ctl");
}

static void drop(struct conn *c) {
  close(c->fd);
  free(c->rest);
  free(c);
}

static void accept_all(int lfd) {
  for (;;) {
    int fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN) return;
      die("accept4");
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct conn *c = calloc(1, sizeof *c);
    if (c == NULL) die("calloc");
    c->fd = fd;
    watch(EPOLL_CTL_ADD, fd, EPOLLIN, c);
  }
}

static void on_readable(struct conn *c) {
  ssize_t got = recv(c->fd, chunk, sizeof chunk, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    drop(c);
    return;
  }
  ssize_t put = send(c->fd, chunk, (size_t)got, MSG_NOSIGNAL);
  if (put < 0) {
    if (errno != EAGAIN && errno != EINTR) {
      drop(c);
      return;
    }
    put = 0;
  }
  if (put == got) return;
  if (c->rest == NULL && (c->rest = malloc(CHUNK)) == NULL) die("malloc");
  c->from = 0;
  c->upto = (size_t)(got - put);
  memcpy(c->rest, chunk + put, c->upto);
  watch(EPOLL_CTL_MOD, c->fd, EPOLLOUT, c);
}

static void on_writable(struct conn *c) {
  ssize_t put = send(c->fd, c->rest + c->from, c->upto - c->from, MSG_NOSIGNAL);
  if (put < 0) {
    if (errno != EAGAIN && errno != EINTR) drop(c);
    return;
  }
  c->from += (size_t)put;
  if (c->from == c->upto) {
    c->from = c->upto = 0;
    watch(EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
  }
}

int main(int argc, char **argv) {
  int lfd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
  socklen_t len = sizeof at;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (lfd < 0) die("socket");
  setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(lfd, (struct sockaddr *)&at, sizeof at) != 0) die("bind");
  if (listen(lfd, SOMAXCONN) != 0) die("listen");
  if (getsockname(lfd, (struct sockaddr *)&at, &len) != 0) die("getsockname");
  if ((epfd = epoll_create1(EPOLL_CLOEXEC)) < 0) die("epoll_create1");
  watch(EPOLL_CTL_ADD, lfd, EPOLLIN, NULL);
  printf("listening %d\n", ntohs(at.sin_port));
  fflush(stdout);

  for (;;) {
    struct epoll_event evs[512];
    int n = epoll_wait(epfd, evs, 512, -1);
    if (n < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < n; i++) {
      struct conn *c = evs[i].data.ptr;
      if (c == NULL)
        accept_all(lfd);
      else if (c->upto > c->from)
        on_writable(c);
      else
        on_readable(c);
    }
  }
}

/*
 * The load generator, on one epoll loop.
 *   load HOST:PORT CONNECTIONS DEPTH SIZE WARMUP SECONDS [PID]   prints one line of JSON
 *   load HOST:PORT idle CONNECTIONS                              prints "ready", holds until stdin ends
 * Each line carries its connection and its number, and every echoed byte is compared with what was sent.
 * With PID it reads that process's CPU time at both edges of the measured window, which nobody
 * outside could do as closely, and how long the two of them were kept waiting by others. The run ends with a drain: a lost or an extra line is an error.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD 18          /* two numbers of eight hex digits with a blank after each */
#define STALL_MS 5000    /* nothing at all for this long: the server hangs */
#define PER_ADDRESS 5000 /* connections from one 127.0.0.x before the next, so that no port range runs out */
#define SUB 32           /* histogram buckets in each power of two: 3 % wide */

struct conn {
  int fd, eof;
  uint32_t id, sent, rcvd; /* `sent` counts lines put into `out`, `rcvd` whole lines that came back */
  size_t roff;             /* bytes of the line `rcvd` that came back */
  char *out;
  size_t from, upto;
  uint32_t events;
  uint64_t *stamp, measured;
};

static struct sockaddr_in server;
static struct conn *conns;
static int epfd, nconns, open_conns, depth = 1, sending = 1;
static size_t size = 64;
static uint64_t lines_back, histogram[64 * SUB];
static int counting;
static char *model, chunk[65536];

static void fail(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  fprintf(stderr, "load: ");
  vfprintf(stderr, fmt, ap);
  fprintf(stderr, "\n");
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void record(uint64_t ns) {
  int top = ns < SUB ? 0 : 63 - __builtin_clzll(ns) - 5;
  histogram[top * SUB + (int)(ns >> top)]++;
}

static double percentile_us(double p, uint64_t total) {
  uint64_t want = (uint64_t)(p * (double)total), seen = 0;
  for (int i = 0; i < 64 * SUB; i++) {
    seen += histogram[i];
    if (seen > want) {
      int top = i < 2 * SUB ? 0 : i / SUB - 1;
      return (double)((uint64_t)(i - top * SUB) << top) / 1000.0;
    }
  }
  return 0;
}

static void hex8(char *to, uint32_t v) {
  for (int i = 7; i >= 0; i--, v >>= 4) to[i] = "0123456789abcdef"[v & 15];
}

static void make_line(char *to, uint32_t id, uint32_t number) {
  memcpy(to, model, size);
  hex8(to, id);
  hex8(to + 9, number);
}

static void watch(struct conn *c, uint32_t events) {
  struct epoll_event ev = {.events = events, .data.ptr = c};
  if (c->events == events) return;
  if (epoll_ctl(epfd, c->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &ev) != 0)
    fail("epoll_ctl: %s", strerror(errno));
  c->events = events;
}

static void push(struct conn *c) {
  if (c->from < c->upto) {
    ssize_t n = send(c->fd, c->out + c->from, c->upto - c->from, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) fail("send: %s", strerror(errno));
    if (n > 0) c->from += (size_t)n;
  }
  if (c->from == c->upto) c->from = c->upto = 0;
  watch(c, c->upto ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void put_lines(struct conn *c, int n, uint64_t now) {
  if (c->upto + (size_t)n * size > (size_t)depth * size) {
    memmove(c->out, c->out + c->from, c->upto - c->from);
    c->upto -= c->from;
    c->from = 0;
  }
  for (; n > 0; n--) {
    make_line(c->out + c->upto, c->id, c->sent);
    c->upto += size;
    c->stamp[c->sent++ % (uint32_t)depth] = now;
  }
  push(c);
}

static void take(struct conn *c) {
  char expected[65536];
  int whole = 0;
  ssize_t got = recv(c->fd, chunk, sizeof chunk, 0);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    fail("recv on connection %u after %u lines: %s", c->id, c->rcvd, strerror(errno));
  }
  if (got == 0) {
    if (sending || c->rcvd != c->sent || c->roff)
      fail("connection %u ended early, %u of %u lines back", c->id, c->rcvd, c->sent);
    c->eof = 1;
    open_conns--;
    close(c->fd);
    return;
  }
  uint64_t now = now_ns();
  for (size_t at = 0; at < (size_t)got;) {
    size_t n = size - c->roff, left = (size_t)got - at;
    if (n > left) n = left;
    if (c->rcvd == c->sent) fail("connection %u got more than it sent", c->id);
    make_line(expected, c->id, c->rcvd);
    if (memcmp(expected + c->roff, chunk + at, n) != 0)
      fail("connection %u: line %u came back changed", c->id, c->rcvd);
    at += n;
    c->roff += n;
    if (c->roff == size) {
      if (counting) {
        record(now - c->stamp[c->rcvd % (uint32_t)depth]);
        c->measured++;
      }
      c->roff = 0;
      c->rcvd++;
      whole++;
    }
  }
  lines_back += (uint64_t)whole;
  if (sending && whole) put_lines(c, whole, now);
}

static void turn(int timeout_ms) {
  struct epoll_event evs[512];
  int n = epoll_wait(epfd, evs, 512, timeout_ms);
  if (n < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
  if (n == 0 && timeout_ms == STALL_MS) fail("no answer in %d ms", STALL_MS);
  for (int i = 0; i < n; i++) {
    struct conn *c = evs[i].data.ptr;
    if (evs[i].events & EPOLLOUT) push(c);
    if (evs[i].events & ~(uint32_t)EPOLLOUT) take(c);
  }
}

/* Blocking while it connects, so that no more than the backlog ever waits. */
static void open_all(int n) {
  nconns = open_conns = n;
  if ((conns = calloc((size_t)n, sizeof *conns)) == NULL) fail("out of memory");
  for (int i = 0; i < n; i++) {
    struct conn *c = &conns[i];
    int on = 1;
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(i / PER_ADDRESS));
    c->id = (uint32_t)i;
    if ((c->fd = socket(AF_INET, SOCK_STREAM, 0)) < 0) fail("socket %d: %s", i, strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(c->fd, (struct sockaddr *)&from, sizeof from) != 0) fail("bind: %s", strerror(errno));
    if (connect(c->fd, (struct sockaddr *)&server, sizeof server) != 0)
      fail("connect %d: %s", i, strerror(errno));
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->out = malloc((size_t)depth * size);
    c->stamp = malloc((size_t)depth * sizeof *c->stamp);
    if (!c->out || !c->stamp) fail("out of memory");
  }
}

static void drain(void) {
  sending = 0;
  for (int i = 0; i < nconns; i++)
    while (conns[i].rcvd != conns[i].sent) turn(STALL_MS);
}

/*
 * One line each way on all of them: a connection counts once the server has accepted it and made its
 * own state for it. Servers that accept one connection a turn would else do so far into the measurement.
 */
static void greet(void) {
  for (int i = 0; i < nconns; i++) put_lines(&conns[i], 1, 0);
  drain();
  sending = 1;
}

static void close_all(void) {
  for (int i = 0; i < nconns; i++) shutdown(conns[i].fd, SHUT_WR);
  while (open_conns > 0) turn(STALL_MS);
}

static void cpu_of(int pid, double *user, double *system) {
  char path[64], text[1024];
  unsigned long u = 0, s = 0;
  *user = *system = 0;
  if (pid <= 0) return;
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *f = fopen(path, "r");
  if (f == NULL) fail("%s: %s", path, strerror(errno));
  size_t n = fread(text, 1, sizeof text - 1, f);
  fclose(f);
  text[n] = 0;
  char *end = strrchr(text, ')'); /* the name may hold blanks and brackets itself */
  if (end == NULL || sscanf(end + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &u, &s) != 2)
    fail("%s: not understood", path);
  *user = (double)u / (double)sysconf(_SC_CLK_TCK);
  *system = (double)s / (double)sysconf(_SC_CLK_TCK);
}

/* Seconds the process stood ready on its core while another one ran there; 0 where the kernel keeps no account. */
static double waited(int pid) {
  char path[64];
  unsigned long long ns = 0;
  snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
  FILE *f = fopen(path, "r");
  if (f == NULL) return 0;
  if (fscanf(f, "%*u %llu", &ns) != 1) ns = 0;
  fclose(f);
  return (double)ns / 1e9;
}

static void hold_idle(int n) {
  open_all(n);
  greet();
  sending = 0;
  printf("ready\n");
  fflush(stdout);
  while (read(0, chunk, sizeof chunk) > 0) continue;
  close_all();
}

static void run(int n, double warmup, double seconds, int pid) {
  double u0, s0, u1, s1;
  open_all(n);
  greet();
  uint64_t start = now_ns(), from = start + (uint64_t)(warmup * 1e9), now;
  for (int i = 0; i < n; i++) put_lines(&conns[i], depth, start);
  while ((now = now_ns()) < from) turn(STALL_MS);
  cpu_of(pid, &u0, &s0);
  double w0 = waited(pid), l0 = waited(getpid());
  uint64_t before = lines_back, until = now + (uint64_t)(seconds * 1e9);
  counting = 1;
  for (from = now; (now = now_ns()) < until;) turn(STALL_MS);
  counting = 0;
  cpu_of(pid, &u1, &s1);
  double w1 = waited(pid), l1 = waited(getpid());
  uint64_t requests = lines_back - before, least = UINT64_MAX, most = 0;
  drain();
  close_all();
  for (int i = 0; i < n; i++) {
    if (conns[i].measured < least) least = conns[i].measured;
    if (conns[i].measured > most) most = conns[i].measured;
  }
  double took = (double)(now - from) / 1e9;
  printf("{\"requests\":%llu,\"seconds\":%.6f,\"requests_per_second\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
         "\"least\":%llu,\"most\":%llu,\"user_seconds\":%.2f,\"system_seconds\":%.2f,"
         "\"server_waited\":%.4f,\"load_waited\":%.4f}\n",
         (unsigned long long)requests, took, (double)requests / took, percentile_us(0.5, requests),
         percentile_us(0.99, requests), (unsigned long long)least, (unsigned long long)most, u1 - u0, s1 - s0,
         w1 - w0, l1 - l0);
}

int main(int argc, char **argv) {
  char host[64] = "";
  unsigned port = 0;
  int holding = argc == 4 && strcmp(argv[2], "idle") == 0;
  if (!(holding || argc == 7 || argc == 8) || sscanf(argv[1], "%63[0-9.]:%u", host, &port) != 2)
    fail("usage: load HOST:PORT CONNECTIONS DEPTH SIZE WARMUP SECONDS [PID] | load HOST:PORT idle CONNECTIONS");
  server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, host, &server.sin_addr) != 1) fail("%s is no address", host);
  if (!holding) {
    depth = atoi(argv[3]);
    size = (size_t)atoi(argv[4]);
  }
  if (depth < 1 || size < HEAD + 1 || size > sizeof chunk) fail("a depth of at least 1, lines of %d to 65536", HEAD + 1);
  if ((epfd = epoll_create1(EPOLL_CLOEXEC)) < 0) fail("epoll_create1: %s", strerror(errno));
  if ((model = malloc(size)) == NULL) fail("out of memory");
  for (size_t i = 0; i < size; i++) model[i] = i < HEAD ? ' ' : (char)('a' + i % 26);
  model[size - 1] = '\n';
  if (holding)
    hold_idle(atoi(argv[3]));
  else
    run(atoi(argv[2]), atof(argv[5]), atof(argv[6]), argc == 8 ? atoi(argv[7]) : 0);
  return 0;
}

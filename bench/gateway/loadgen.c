/*
 * loadgen - small HTTP/1.1 load generator for LLM gateways (epoll, one thread, no deps).
 *
 *   cc -O2 -o loadgen loadgen.c
 *   ./loadgen --port 4000 --path /v1/chat/completions --body body.json \
 *             --header 'Authorization: Bearer sk-x' --conns 64 --duration 8 --warmup 2 [--rate 200] [--stream]
 *
 * Closed loop by default (every connection sends again as soon as it has its answer).
 * --rate R: open loop, R requests per second on a fixed schedule, over at most --conns
 * connections; latency then counts from the time the request was DUE, so that a stalled
 * gateway cannot hide its stall (no coordinated omission).
 * --stream: counts SSE "data:" lines, time to first of them, and the largest gap between reads.
 * --keys FILE: one API key a line; requests carry them in turn (up to 512 of them, 64 for large bodies).
 * --max-requests N bounds the run in count as well as in time. Only 127.0.0.1 is ever contacted.
 * Prints one JSON object.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct { char *data; size_t len; } msg;
typedef struct {
  int fd, busy, hdr_done, chunked, closing, status, first, want_out;
  long left;                 /* body bytes left (content-length) or in the chunk; -1 = unknown */
  int cstate;                /* chunk decoder: 0 size, 1 data, 2 crlf after data, 3 trailer */
  char cbuf[32]; int cn; int tr;
  char hb[16384]; int hn;
  msg *out; size_t sent; uint64_t due, start, tfirst, tlast, maxgap; int events; int lm; /* line match state for data: */
} con;
typedef struct { uint32_t *v; size_t n, cap; } vec;
static void vpush(vec *a, uint32_t x) { if (a->n == a->cap) { a->cap = a->cap ? a->cap * 2 : 65536; a->v = realloc(a->v, a->cap * 4); } a->v[a->n++] = x; }
static int cmp(const void *a, const void *b) { uint32_t x = *(uint32_t *)a, y = *(uint32_t *)b; return x < y ? -1 : x > y; }
static double pct(vec *a, double p) { if (!a->n) return -1; size_t i = (size_t)(p / 100.0 * (a->n - 1) + 0.5); return a->v[i] / 1000.0; }
static double mean(vec *a) { double s = 0; for (size_t i = 0; i < a->n; i++) s += a->v[i]; return a->n ? s / a->n / 1000.0 : -1; }
static uint64_t now_us(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return (uint64_t)t.tv_sec * 1000000ull + t.tv_nsec / 1000; }

static int ep, port, nconn = 1, stream; static double duration = 5, warmup = 1, rate = 0; static long maxreq = 50000000;
static const char *path = "/v1/chat/completions";
static msg *reqs; static long nreqs;  /* the same request under different keys */
static con *K; static vec lat, ttft, gap; static uint64_t t0, tw, tend, ok, bad, errs, reconn, events, bytes; static int codes[600];
static int *idle; static int nidle; static int measuring; static char badsample[400]; static long issued;

static int con_open(con *c) {
  int s = socket(AF_INET, SOCK_STREAM, 0), one = 1; struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(s, (void *)&a, sizeof a)) { close(s); return -1; }
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  int fl = SOCK_NONBLOCK; (void)fl; extern int fcntl(int, int, ...); fcntl(s, 4, fcntl(s, 3, 0) | 04000);
  c->fd = s; struct epoll_event e = {.events = EPOLLIN, .data.ptr = c}; epoll_ctl(ep, EPOLL_CTL_ADD, s, &e); return 0;
}
static void con_reset(con *c) { if (c->fd >= 0) close(c->fd); c->fd = -1; c->busy = 0; reconn++; }
static int pump(con *c) {
  while (c->sent < c->out->len) { ssize_t n = send(c->fd, c->out->data + c->sent, c->out->len - c->sent, MSG_NOSIGNAL); if (n < 0) { if (errno == EAGAIN) { struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c}; epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e); c->want_out = 1; return 0; } return -1; } c->sent += n; }
  if (c->want_out) { struct epoll_event e = {.events = EPOLLIN, .data.ptr = c}; epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e); c->want_out = 0; }
  return 0;
}
static void start(con *c, uint64_t due) {
  if (c->fd < 0 && con_open(c)) { errs++; usleep(1000); idle[nidle++] = c - K; return; }
  c->busy = 1; c->hdr_done = c->chunked = c->closing = c->status = c->hn = c->cstate = c->cn = c->tr = c->events = 0; c->first = 1; c->lm = 0; c->left = -1; c->sent = 0; c->tfirst = 0; c->maxgap = 0;
  c->start = now_us(); c->due = due ? due : c->start; c->tlast = c->start; c->out = &reqs[issued % nreqs]; issued++;
  if (pump(c)) { errs++; con_reset(c); idle[nidle++] = c - K; }
}
static void done(con *c) {
  uint64_t n = now_us();
  if (measuring && n <= tend) {
    if (c->status < 600) codes[c->status]++;
    if (c->status == 200 && (!stream || c->events > 0)) { ok++; vpush(&lat, n - c->due); if (stream) { vpush(&ttft, c->tfirst - c->due); vpush(&gap, c->maxgap); events += c->events; } }
    else { bad++; }
  }
  if (c->status != 200 && !badsample[0]) { int k = 0; for (int i = 0; i < c->hn && k < 390; i++) { char ch = c->hb[i]; if (ch == '"' || ch == '\\') ch = '\''; if (ch < 32) ch = ' '; badsample[k++] = ch; } }
  c->busy = 0; if (c->closing) con_reset(c); idle[nidle++] = c - K;
}
static void scan(con *c, const char *p, size_t n) { /* count "data:" at line starts */
  static const char M[] = "data:";
  for (size_t i = 0; i < n; i++) { char ch = p[i]; if (ch == '\n') c->lm = 0; else if (c->lm >= 0) { if (ch == M[c->lm]) { if (++c->lm == 5) { if (!c->events++) c->tfirst = now_us(); c->lm = -1; } } else c->lm = -1; } }
}
static int body(con *c, const char *p, size_t n) { /* 1 = response complete */
  bytes += n;
  if (!c->chunked) { if (stream) scan(c, p, n); else if (c->status != 200 && c->hn + n < sizeof c->hb) { memcpy(c->hb + c->hn, p, n); c->hn += n; } if (c->left >= 0) { c->left -= n; return c->left <= 0; } return 0; }
  while (n) switch (c->cstate) {
    case 0: { char ch = *p++; n--; if (ch == '\n') { c->cbuf[c->cn] = 0; c->left = strtol(c->cbuf, NULL, 16); c->cn = 0; c->cstate = c->left ? 1 : 3; c->tr = 0; } else if (ch != '\r' && c->cn < 30) c->cbuf[c->cn++] = ch; break; }
    case 1: { size_t k = (long)n < c->left ? n : (size_t)c->left; if (stream) scan(c, p, k); else if (c->status != 200 && c->hn + k < sizeof c->hb) { memcpy(c->hb + c->hn, p, k); c->hn += k; } p += k; n -= k; c->left -= k; if (!c->left) c->cstate = 2; break; }
    case 2: { char ch = *p++; n--; if (ch == '\n') c->cstate = 0; break; }
    case 3: { char ch = *p++; n--; if (ch == '\n') { if (!c->tr) return 1; c->tr = 0; } else if (ch != '\r') c->tr++; break; }
  }
  return 0;
}
static void onread(con *c) {
  static char b[262144];
  for (;;) {
    ssize_t n = recv(c->fd, b, sizeof b, 0);
    if (n < 0) { if (errno == EAGAIN) return; n = 0; }
    if (n == 0) { if (c->busy) { if (c->hdr_done && !c->chunked && c->left < 0) { c->closing = 1; done(c); } else { if (measuring) errs++; con_reset(c); idle[nidle++] = c - K; } } else con_reset(c); return; }
    if (!c->busy) continue;
    if (stream && c->events) { uint64_t t = now_us(); if (t - c->tlast > c->maxgap) c->maxgap = t - c->tlast; c->tlast = t; }
    const char *p = b; size_t m = n;
    if (!c->hdr_done) {
      size_t old = c->hn, k = m; if (old + k > sizeof c->hb - 1) k = sizeof c->hb - 1 - old; memcpy(c->hb + old, p, k); c->hn += k; c->hb[c->hn] = 0;
      char *e = memmem(c->hb, c->hn, "\r\n\r\n", 4); if (!e) { if (c->hn >= (int)sizeof c->hb - 1) { errs++; con_reset(c); idle[nidle++] = c - K; return; } continue; }
      size_t hl = e + 4 - c->hb; c->status = atoi(c->hb + 9); if (c->status < 0 || c->status > 599) c->status = 599; *e = 0;
      if (strcasestr(c->hb, "\r\ntransfer-encoding: chunked")) c->chunked = 1; else { char *q = strcasestr(c->hb, "\r\ncontent-length:"); if (q) c->left = atol(q + 17); }
      if (strcasestr(c->hb, "\r\nconnection: close")) c->closing = 1;
      c->hdr_done = 1; size_t used = hl - old; p += used; m -= used; c->hn = hl; if (c->status == 200) c->hn = 0; c->tlast = now_us();
      if (!c->chunked && c->left == 0) { done(c); return; }
    }
    if (m && body(c, p, m)) { done(c); return; }
  }
}
static void make_requests(const char *hdrs, const char *kf, const char *body, long bl) {
  long most = kf ? (bl > 16384 ? 64 : 512) : 1; char key[512]; FILE *f = kf ? fopen(kf, "r") : NULL;
  if (kf && !f) { perror(kf); exit(2); }
  reqs = calloc(most, sizeof *reqs);
  while (nreqs < most) {
    char auth[600] = "";
    if (f) { if (!fgets(key, sizeof key, f)) break; key[strcspn(key, "\r\n")] = 0; snprintf(auth, sizeof auth, "Authorization: Bearer %s\r\n", key); }
    char *r = malloc(bl + 16384);
    int h = snprintf(r, 16384, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nAccept: */*\r\nContent-Length: %ld\r\n%s%s\r\n", path, port, bl, hdrs, auth);
    memcpy(r + h, body, bl); reqs[nreqs].data = r; reqs[nreqs].len = h + bl; nreqs++;
  }
  if (f) fclose(f);
  if (!nreqs) { fprintf(stderr, "no keys in %s\n", kf); exit(2); }
}
int main(int argc, char **argv) {
  char hdrs[8192] = ""; const char *bf = NULL, *kf = NULL; signal(SIGPIPE, SIG_IGN);
  for (int i = 1; i < argc; i++) {
    char *a = argv[i];
#define V argv[++i]
    if (!strcmp(a, "--stream")) stream = 1; else if (i + 1 >= argc) { fprintf(stderr, "bad arg %s\n", a); return 2; }
    else if (!strcmp(a, "--port")) port = atoi(V); else if (!strcmp(a, "--path")) path = V; else if (!strcmp(a, "--body")) bf = V;
    else if (!strcmp(a, "--conns")) nconn = atoi(V); else if (!strcmp(a, "--duration")) duration = atof(V); else if (!strcmp(a, "--warmup")) warmup = atof(V);
    else if (!strcmp(a, "--rate")) rate = atof(V); else if (!strcmp(a, "--max-requests")) maxreq = atol(V);
    else if (!strcmp(a, "--keys")) kf = V;
    else if (!strcmp(a, "--header")) { const char *v = V; if (strlen(hdrs) + strlen(v) + 3 > sizeof hdrs) { fprintf(stderr, "too many headers\n"); return 2; } strcat(hdrs, v); strcat(hdrs, "\r\n"); } else { fprintf(stderr, "bad arg %s\n", a); return 2; }
  }
  char *bd = NULL; long bl = 0; if (bf) { FILE *f = fopen(bf, "rb"); if (!f) { perror(bf); return 2; } fseek(f, 0, SEEK_END); bl = ftell(f); rewind(f); bd = malloc(bl); if (fread(bd, 1, bl, f) != (size_t)bl) return 2; fclose(f); }
  make_requests(hdrs, kf, bd, bl);
  ep = epoll_create1(0); K = calloc(nconn, sizeof *K); idle = malloc(nconn * sizeof(int) * 2); for (int i = 0; i < nconn; i++) { K[i].fd = -1; idle[nidle++] = i; }
  for (int i = 0; i < nconn; i++) con_open(&K[i]);
  t0 = now_us(); tw = t0 + (uint64_t)(warmup * 1e6); tend = tw + (uint64_t)(duration * 1e6);
  double step = rate > 0 ? 1e6 / rate : 0, nextdue = t0; uint64_t dropped = 0; struct epoll_event ev[512]; struct rusage r0, r1; getrusage(RUSAGE_SELF, &r0);
  for (;;) {
    uint64_t n = now_us(); if (n >= tend || issued >= maxreq) break;
    if (!measuring && n >= tw) { measuring = 1; getrusage(RUSAGE_SELF, &r0); }
    if (rate > 0) { while (nextdue <= n && nidle) { int i = idle[--nidle]; start(&K[i], (uint64_t)nextdue); nextdue += step; } if (n - nextdue > 20e6 && nextdue < n) { nextdue += step; dropped++; } }
    else { int m = nidle; static int tmp[65536]; memcpy(tmp, idle, m * sizeof(int)); nidle = 0; for (int j = 0; j < m; j++) start(&K[tmp[j]], 0); }
    struct timespec to = {0, 50000000}; if (rate > 0) { double w = nidle ? (nextdue > n ? nextdue - n : 0) : 5000; if (w > 50000) w = 50000; to.tv_nsec = (long)(w * 1000); }
    int k = epoll_pwait2(ep, ev, 512, &to, NULL);
    for (int i = 0; i < k; i++) { con *c = ev[i].data.ptr; if (c->fd < 0) continue; if ((ev[i].events & EPOLLOUT) && c->want_out && pump(c)) { errs++; con_reset(c); idle[nidle++] = c - K; continue; } if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) onread(c); }
  }
  getrusage(RUSAGE_SELF, &r1); double el = (now_us() - tw) / 1e6; if (el > duration) el = duration;
  double cpu = (r1.ru_utime.tv_sec - r0.ru_utime.tv_sec) + (r1.ru_stime.tv_sec - r0.ru_stime.tv_sec) + (r1.ru_utime.tv_usec - r0.ru_utime.tv_usec) / 1e6 + (r1.ru_stime.tv_usec - r0.ru_stime.tv_usec) / 1e6;
  qsort(lat.v, lat.n, 4, cmp); qsort(ttft.v, ttft.n, 4, cmp); qsort(gap.v, gap.n, 4, cmp);
  printf("{\"conns\":%d,\"rate\":%.0f,\"stream\":%d,\"seconds\":%.2f,\"ok\":%lu,\"bad\":%lu,\"errors\":%lu,\"reconnects\":%lu,\"rps\":%.1f,\"lat_ms\":{\"mean\":%.3f,\"p50\":%.3f,\"p95\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}", nconn, rate, stream, el, ok, bad, errs, reconn, ok / el, mean(&lat), pct(&lat, 50), pct(&lat, 95), pct(&lat, 99), pct(&lat, 99.9), pct(&lat, 100));
  if (stream) printf(",\"ttft_ms\":{\"mean\":%.3f,\"p50\":%.3f,\"p95\":%.3f,\"p99\":%.3f},\"maxgap_ms\":{\"p50\":%.3f,\"p99\":%.3f},\"events\":%lu,\"events_per_s\":%.0f", mean(&ttft), pct(&ttft, 50), pct(&ttft, 95), pct(&ttft, 99), pct(&gap, 50), pct(&gap, 99), events, events / el);
  printf(",\"dropped\":%lu,\"loadgen_cpu_s\":%.2f,\"codes\":{", dropped, cpu); int f = 1; for (int i = 0; i < 600; i++) if (codes[i]) { printf("%s\"%d\":%d", f ? "" : ",", i, codes[i]); f = 0; }
  printf("},\"bad_sample\":\"%s\"}\n", badsample); return 0;
}

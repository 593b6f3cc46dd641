/*
 * mock_upstream - a fast single-thread OpenAI/Anthropic mock (epoll, no deps).
 *
 *   cc -O2 -o mock_upstream mock_upstream.c
 *   ./mock_upstream 9100:latency=0,chunks=50,interval=0 9160:latency=60,chunks=50,interval=10
 *
 * One listening port per profile:
 *   latency   ms before the first byte of the answer (non-streaming and streaming)
 *   chunks    SSE content chunks in a streamed answer
 *   interval  ms between chunks; 0 = back to back, each in its own send()
 *   fail      percent of requests that are answered 500 (for failover tests)
 *   limit     percent of requests that are answered 429 with retry-after: 1
 *   pad       extra bytes of content in a non-streamed answer
 *   name      a request whose "model" contains this text (or one of a|b|c) gets this profile, whatever its port
 *
 * Endpoints (any host, any prefix): POST .../chat/completions and .../messages
 * (Anthropic shape); "stream": true in the body selects SSE. GET .../models, /health,
 * and GET /__stats (counters as JSON; ?reset=1 zeroes them).
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
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAXPROF 16
#define MAXFD 16384
#define INBUF0 8192

typedef struct { int port, lfd, latency, chunks, interval, fail, limit, pad; char name[256]; } prof_t;
typedef struct conn {
  int fd, port, prof;  /* prof: profile of this request; port: of its listener */
  char *in; size_t inlen, incap, scan; /* request bytes */
  char *out; size_t outlen, outcap, outoff;
  int state;          /* 0 reading, 1 waiting first byte, 2 streaming */
  int stream, anth, keep, chunk;
  uint32_t gen;
} conn_t;
typedef struct { uint64_t at; int fd; uint32_t gen; } tmr_t;

static prof_t P[MAXPROF]; static int NP;
static conn_t *C[MAXFD];
static uint32_t GEN[MAXFD];
static tmr_t *H; static int HN, HC;
static int ep;
static uint64_t n_req, n_stream, n_chunks, n_fail, n_conn;
static uint32_t rng = 12345;

static uint64_t now_us(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return (uint64_t)t.tv_sec * 1000000ull + t.tv_nsec / 1000; }

static void heap_push(tmr_t t) {
  if (HN == HC) { HC = HC ? HC * 2 : 1024; H = realloc(H, HC * sizeof *H); }
  int i = HN++; H[i] = t;
  while (i && H[(i - 1) / 2].at > H[i].at) { tmr_t x = H[i]; H[i] = H[(i - 1) / 2]; H[(i - 1) / 2] = x; i = (i - 1) / 2; }
}
static tmr_t heap_pop(void) {
  tmr_t r = H[0]; H[0] = H[--HN]; int i = 0;
  for (;;) { int l = 2 * i + 1, m = i; if (l < HN && H[l].at < H[m].at) m = l; if (l + 1 < HN && H[l + 1].at < H[m].at) m = l + 1; if (m == i) break; tmr_t x = H[i]; H[i] = H[m]; H[m] = x; i = m; }
  return r;
}
static void closec(conn_t *c) { epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, NULL); close(c->fd); C[c->fd] = NULL; GEN[c->fd]++; free(c->in); free(c->out); free(c); }

static int flushc(conn_t *c) { /* 0 ok, -1 closed */
  while (c->outoff < c->outlen) {
    ssize_t n = send(c->fd, c->out + c->outoff, c->outlen - c->outoff, MSG_NOSIGNAL);
    if (n < 0) { if (errno == EAGAIN) { struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.fd = c->fd}; epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e); return 0; } closec(c); return -1; }
    c->outoff += n;
  }
  if (c->outlen) { c->outlen = c->outoff = 0; }
  return 0;
}
static void put(conn_t *c, const char *s, size_t n) {
  if (c->outlen + n > c->outcap) { c->outcap = (c->outlen + n) * 2; c->out = realloc(c->out, c->outcap); }
  memcpy(c->out + c->outlen, s, n); c->outlen += n;
}
static const char OAI_JSON_A[] = "{\"id\":\"chatcmpl-mock0000000000000000000001\",\"object\":\"chat.completion\",\"created\":1760000000,\"model\":\"mock-model\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"This is a fixed answer from the mock upstream. It is about three hundred characters long so that the payload looks like a short, ordinary reply of a chat model: two or three sentences, some punctuation, and nothing else that a gateway would have to treat in a special way.";
static const char OAI_JSON_B[] = "\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":180,\"completion_tokens\":52,\"total_tokens\":232},\"system_fingerprint\":\"fp_mock\"}";
static const char ANT_JSON_A[] = "{\"id\":\"msg_mock0000000000000001\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"mock-model\",\"content\":[{\"type\":\"text\",\"text\":\"This is a fixed answer from the mock upstream. It is about three hundred characters long so that the payload looks like a short, ordinary reply of a chat model: two or three sentences, some punctuation, and nothing else that a gateway would have to treat in a special way.";
static const char ANT_JSON_B[] = "\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":180,\"output_tokens\":52}}";

static void resp(conn_t *c, const char *status, const char *extra, const char *body, size_t n) {
  char h[512]; int k = snprintf(h, sizeof h, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s%s\r\n", status, n, extra, c->keep ? "" : "Connection: close\r\n");
  put(c, h, k); put(c, body, n);
}
static void put_chunk(conn_t *c, const char *s, int n) { char h[16]; int k = snprintf(h, sizeof h, "%x\r\n", n); put(c, h, k); put(c, s, n); put(c, "\r\n", 2); }

static int process(conn_t *c); 

static int finish(conn_t *c) { /* response complete */
  c->state = 0; c->stream = 0; c->chunk = 0;
  if (!c->keep && c->outlen == 0) { closec(c); return -1; }
  return c->inlen ? process(c) : 0;
}
static int stream_step(conn_t *c) { /* emit the next chunk(s) */
  prof_t *p = &P[c->prof]; char b[512]; int n;
  for (;;) {
    if (c->chunk == 0) {
      const char *h = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
      put(c, h, strlen(h));
      if (c->anth) {
        n = snprintf(b, sizeof b, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_mock1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"mock-model\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":180,\"output_tokens\":1}}}\n\n"); put_chunk(c, b, n);
        n = snprintf(b, sizeof b, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"); put_chunk(c, b, n);
      } else {
        n = snprintf(b, sizeof b, "data: {\"id\":\"chatcmpl-mock1\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"mock-model\",\"system_fingerprint\":\"fp_mock\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n"); put_chunk(c, b, n);
      }
    }
    if (c->chunk < p->chunks) {
      if (c->anth) n = snprintf(b, sizeof b, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" tok%d\"}}\n\n", c->chunk);
      else n = snprintf(b, sizeof b, "data: {\"id\":\"chatcmpl-mock1\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"mock-model\",\"system_fingerprint\":\"fp_mock\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" tok%d\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n", c->chunk);
      put_chunk(c, b, n); c->chunk++; n_chunks++;
      if (flushc(c)) return -1;
      if (p->interval == 0) continue;
      heap_push((tmr_t){now_us() + p->interval * 1000ull, c->fd, GEN[c->fd]});
      return 0;
    }
    if (c->anth) n = snprintf(b, sizeof b, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":%d}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", p->chunks);
    else n = snprintf(b, sizeof b, "data: {\"id\":\"chatcmpl-mock1\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"mock-model\",\"system_fingerprint\":\"fp_mock\",\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":180,\"completion_tokens\":%d,\"total_tokens\":%d}}\n\ndata: [DONE]\n\n", p->chunks, 180 + p->chunks);
    put_chunk(c, b, n); put(c, "0\r\n\r\n", 5);
    if (flushc(c)) return -1;
    return finish(c);
  }
}
static int respond(conn_t *c) {
  prof_t *p = &P[c->prof];
  if (c->stream) { c->state = 2; return stream_step(c); }
  static char body[1 << 20]; size_t n = 0;
  const char *a = c->anth ? ANT_JSON_A : OAI_JSON_A, *z = c->anth ? ANT_JSON_B : OAI_JSON_B;
  memcpy(body, a, strlen(a)); n = strlen(a);
  if (p->pad > 0) { memset(body + n, 'x', p->pad); n += p->pad; }
  memcpy(body + n, z, strlen(z)); n += strlen(z);
  resp(c, "200 OK", "x-request-id: mock\r\n", body, n);
  if (flushc(c)) return -1;
  return finish(c);
}
static long find_hdr_num(const char *h, size_t n, const char *name) {
  size_t m = strlen(name);
  for (size_t i = 0; i + m < n; i++) if (h[i] == '\n' && !strncasecmp(h + i + 1, name, m)) return strtol(h + i + 1 + m, NULL, 10);
  return -1;
}
static int has_hdr(const char *h, size_t n, const char *line) { size_t m = strlen(line); for (size_t i = 0; i + m < n; i++) if (h[i] == '\n' && !strncasecmp(h + i + 1, line, m)) return 1; return 0; }

static int named(prof_t *p, const char *q, size_t n) { /* any of a|b|c in the model name? */
  for (const char *a = p->name; *a;) { const char *e = strchrnul(a, '|'); if (e > a && memmem(q, n, a, e - a)) return 1; a = *e ? e + 1 : e; }
  return 0;
}
static int process(conn_t *c) { /* try to parse one request; 0 ok, -1 closed */
  if (c->state) return 0;
  char *e = memmem(c->in, c->inlen, "\r\n\r\n", 4);
  if (!e) return 0;
  size_t hl = e + 4 - c->in, total; long cl = find_hdr_num(c->in, hl, "content-length:");
  char *body = c->in + hl; size_t bl = 0;
  if (cl >= 0) { if (c->inlen < hl + cl) { if (c->incap < hl + cl + 1) { c->incap = hl + cl + 1; c->in = realloc(c->in, c->incap); } return 0; } total = hl + cl; bl = cl; }
  else if (has_hdr(c->in, hl, "transfer-encoding: chunked") || has_hdr(c->in, hl, "transfer-encoding:chunked")) {
    size_t i = hl, w = hl; /* decode in place only when complete */
    for (;;) { char *q = memmem(c->in + i, c->inlen - i, "\r\n", 2); if (!q) return 0; size_t k = strtoul(c->in + i, NULL, 16); i = q + 2 - c->in; if (c->inlen < i + k + 2) return 0; if (!k) { i += 2; break; } i += k + 2; }
    total = i; i = hl;
    for (;;) { char *q = memmem(c->in + i, c->inlen - i, "\r\n", 2); size_t k = strtoul(c->in + i, NULL, 16); i = q + 2 - c->in; if (!k) break; memmove(c->in + w, c->in + i, k); w += k; i += k + 2; }
    bl = w - hl;
  } else total = hl;
  c->prof = c->port;
  if (bl) { char *m = memmem(body, bl, "\"model\"", 7); if (m) { char *q = memchr(m + 7, '"', body + bl - m - 7), *z = q ? memchr(q + 1, '"', body + bl - q - 1) : NULL; if (z) for (int j = 0; j < NP; j++) if (P[j].name[0] && named(&P[j], q, z - q)) c->prof = j; } }
  prof_t *p = &P[c->prof];
  c->keep = !has_hdr(c->in, hl, "connection: close");
  int get = c->in[0] == 'G';
  char *sp = memchr(c->in, ' ', hl); char *sp2 = sp ? memchr(sp + 1, ' ', hl - (sp + 1 - c->in)) : NULL;
  char path[128] = ""; if (sp && sp2) { size_t k = sp2 - sp - 1; if (k > 127) k = 127; memcpy(path, sp + 1, k); path[k] = 0; }
  c->anth = strstr(path, "/messages") != NULL;
  c->stream = 0;
  if (bl) { char *s = memmem(body, bl, "\"stream\"", 8); while (s) { char *q = s + 8; while (q < body + bl && (*q == ' ' || *q == ':')) q++; if (q + 4 <= body + bl && !memcmp(q, "true", 4)) { c->stream = 1; break; } s = memmem(q, body + bl - q, "\"stream\"", 8); } }
  size_t rest = c->inlen - total; memmove(c->in, c->in + total, rest); c->inlen = rest;
  if (get) {
    char b[512]; int n;
    if (strstr(path, "__stats")) { n = snprintf(b, sizeof b, "{\"requests\":%lu,\"streams\":%lu,\"chunks\":%lu,\"failed\":%lu,\"connections\":%lu}", n_req, n_stream, n_chunks, n_fail, n_conn); if (strstr(path, "reset=1")) n_req = n_stream = n_chunks = n_fail = n_conn = 0; }
    else if (strstr(path, "models")) n = snprintf(b, sizeof b, "{\"object\":\"list\",\"data\":[{\"id\":\"mock-model\",\"object\":\"model\",\"created\":1760000000,\"owned_by\":\"mock\"}]}");
    else n = snprintf(b, sizeof b, "{\"status\":\"ok\"}");
    resp(c, "200 OK", "", b, n); if (flushc(c)) return -1; return finish(c);
  }
  n_req++; n_stream += c->stream;
  if (p->fail || p->limit) {
    rng = rng * 1664525u + 1013904223u; int r = (rng >> 8) % 100;
    if (r < p->fail) { n_fail++; const char *b = "{\"error\":{\"message\":\"mock failure\",\"type\":\"server_error\",\"code\":\"internal_error\"}}"; c->stream = 0; resp(c, "500 Internal Server Error", "", b, strlen(b)); if (flushc(c)) return -1; return finish(c); }
    if (r < p->fail + p->limit) { n_fail++; const char *b = "{\"error\":{\"message\":\"mock rate limit\",\"type\":\"rate_limit_error\",\"code\":\"rate_limit_exceeded\"}}"; c->stream = 0; resp(c, "429 Too Many Requests", "retry-after: 1\r\n", b, strlen(b)); if (flushc(c)) return -1; return finish(c); }
  }
  if (p->latency == 0) return respond(c);
  c->state = 1; heap_push((tmr_t){now_us() + p->latency * 1000ull, c->fd, GEN[c->fd]});
  return 0;
}
int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN); ep = epoll_create1(0);
  if (argc < 2) { fprintf(stderr, "usage: mock_upstream PORT[:latency=MS,chunks=N,interval=MS,fail=PCT,limit=PCT,pad=BYTES] ...\n"); return 2; }
  for (int i = 1; i < argc && NP < MAXPROF; i++) {
    prof_t *p = &P[NP]; p->chunks = 50; p->port = atoi(argv[i]); char *q = strchr(argv[i], ':');
    if (q) for (char *t = strtok(q + 1, ","); t; t = strtok(NULL, ",")) {
      char *v = strchr(t, '='); if (!v) continue; *v++ = 0; int x = atoi(v); if (!strcmp(t, "name")) snprintf(p->name, sizeof p->name, "%s", v);
      if (!strcmp(t, "latency")) p->latency = x; else if (!strcmp(t, "chunks")) p->chunks = x; else if (!strcmp(t, "interval")) p->interval = x;
      else if (!strcmp(t, "fail")) p->fail = x; else if (!strcmp(t, "limit")) p->limit = x; else if (!strcmp(t, "pad")) p->pad = x > 900000 ? 900000 : x;
    }
    int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1; setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(p->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(s, (void *)&a, sizeof a) || listen(s, 4096)) { perror("bind"); return 1; }
    p->lfd = s; struct epoll_event e = {.events = EPOLLIN, .data.fd = s}; epoll_ctl(ep, EPOLL_CTL_ADD, s, &e); NP++;
  }
  fprintf(stderr, "mock_upstream: %d port(s) on 127.0.0.1\n", NP);
  struct epoll_event ev[512];
  for (;;) {
    struct timespec ts = {0, 0}, *to = NULL; if (HN) { uint64_t n = now_us(); if (H[0].at > n) { ts.tv_sec = (H[0].at - n) / 1000000; ts.tv_nsec = (H[0].at - n) % 1000000 * 1000; } to = &ts; }
    int k = epoll_pwait2(ep, ev, 512, to, NULL);
    for (int i = 0; i < k; i++) {
      int fd = ev[i].data.fd, pi = -1; for (int j = 0; j < NP; j++) if (P[j].lfd == fd) pi = j;
      if (pi >= 0) { for (;;) { int s = accept4(fd, NULL, NULL, SOCK_NONBLOCK); if (s < 0) break; if (s >= MAXFD) { close(s); continue; } int one = 1; setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); conn_t *c = calloc(1, sizeof *c); c->fd = s; c->port = c->prof = pi; c->incap = INBUF0; c->in = malloc(INBUF0); C[s] = c; n_conn++; struct epoll_event e = {.events = EPOLLIN, .data.fd = s}; epoll_ctl(ep, EPOLL_CTL_ADD, s, &e); } continue; }
      conn_t *c = C[fd]; if (!c) continue;
      if (ev[i].events & EPOLLOUT) { struct epoll_event e = {.events = EPOLLIN, .data.fd = fd}; epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e); if (flushc(c)) continue; }
      if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        int dead = 0;
        for (;;) { if (c->inlen == c->incap) { c->incap *= 2; c->in = realloc(c->in, c->incap); } size_t room = c->incap - c->inlen; ssize_t n = recv(fd, c->in + c->inlen, room, 0); if (n == 0 || (n < 0 && errno != EAGAIN)) { dead = 1; break; } if (n < 0) break; c->inlen += n; if ((size_t)n < room) break; }
        if (dead) { closec(c); continue; }
        process(c);
      }
    }
    uint64_t n = now_us();
    while (HN && H[0].at <= n) { tmr_t t = heap_pop(); conn_t *c = C[t.fd]; if (!c || GEN[t.fd] != t.gen) continue; if (c->state == 1) respond(c); else if (c->state == 2) stream_step(c); }
  }
}

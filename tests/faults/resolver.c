/* A resolver as a test wants it: FAULT_NAMES is a file with lines "name answer", the answer an address, NXDOMAIN, SERVFAIL or
   SLOW (five seconds, then loopback); a name that is not in it does not exist. Each question is noted in FAULT_LOOKUPS. Names
   of digits and "localhost" are left to the system. Compiled by the test that needs it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*resolve)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static void note(const char *name) {
  const char *file = getenv("FAULT_LOOKUPS");
  int out = file ? open(file, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  if (out < 0) return;
  dprintf(out, "%s\n", name);
  close(out);
}

static int answer(const char *wanted, char *found, size_t size) {
  const char *file = getenv("FAULT_NAMES");
  FILE *in = file ? fopen(file, "r") : NULL;
  char name[256], said[64];
  int is_known = 0;
  while (in && !is_known && fscanf(in, "%255s %63s", name, said) == 2)
    if (!strcmp(name, wanted)) is_known = 1;
  if (in) fclose(in);
  snprintf(found, size, "%s", is_known ? said : "NXDOMAIN");
  return is_known;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  static resolve real;
  char said[64];
  if (!real) real = (resolve)dlsym(RTLD_NEXT, "getaddrinfo");
  if (!name || !strcmp(name, "localhost") || !strpbrk(name, "abcdefghijklmnopqrstuvwxyz") || strchr(name, ':'))
    return real(name, service, hints, found);
  note(name);
  answer(name, said, sizeof said);
  if (!strcmp(said, "NXDOMAIN")) return EAI_NONAME;
  if (!strcmp(said, "SERVFAIL")) return EAI_AGAIN;
  if (!strcmp(said, "SLOW")) {
    sleep(5);
    snprintf(said, sizeof said, "127.0.0.1");
  }
  return real(said, service, hints, found);
}

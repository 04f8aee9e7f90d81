/* Does with a file what it is asked to, and says in the words of libc why that cannot be done.

   read FILE, write FILE, link TARGET FILE, environment */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static int failed(const char *path) {
  fprintf(stderr, "%s: %s\n", path, strerror(errno));
  return 1;
}

static int read_file(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) return failed(path);
  char line[256];
  while (fgets(line, sizeof line, file)) fputs(line, stdout);
  return ferror(file) ? failed(path) : 0;
}

static int write_file(const char *path) {
  FILE *file = fopen(path, "w");
  if (!file) return failed(path);
  if (fputs("written\n", file) < 0 || fclose(file) != 0) return failed(path);
  return 0;
}

static int print_environment(void) {
  for (char **variable = environ; *variable; variable++) puts(*variable);
  return 0;
}

int main(int count, char **arguments) {
  const char *what = count > 1 ? arguments[1] : "";
  if (count == 2 && strcmp(what, "environment") == 0) return print_environment();
  if (count == 3 && strcmp(what, "read") == 0) return read_file(arguments[2]);
  if (count == 3 && strcmp(what, "write") == 0) return write_file(arguments[2]);
  if (count == 4 && strcmp(what, "link") == 0) {
    return symlink(arguments[2], arguments[3]) == 0 ? 0 : failed(arguments[3]);
  }
  fputs("usage: read FILE, write FILE, link TARGET FILE, environment\n", stderr);
  return 2;
}

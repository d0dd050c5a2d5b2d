// Strings that grow, for the custom actions.
#ifndef SIGHTLINE_TEXT_H
#define SIGHTLINE_TEXT_H
#include <wchar.h>

typedef struct {
  wchar_t *text; /* null while empty */
  size_t length;
  size_t room;
} Text;

/** Memory or the end of this process: an installer that goes on without would do half of its work. */
void *must(void *memory);
wchar_t *copy(const wchar_t *text);
/** Appends all of them, up to NULL. */
void append(Text *to, ...);
void clear(Text *text);
/** The next part up to `separator`, cut off in place; null at the end. */
wchar_t *next_part(wchar_t **cursor, wchar_t separator);
char *to_utf8(const wchar_t *text);
wchar_t *from_utf8(const char *text);

#endif

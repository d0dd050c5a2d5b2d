// Growing strings for the custom actions.
#ifndef SIGHTLINE_TEXT_H
#define SIGHTLINE_TEXT_H
#include <stdarg.h>
#include <wchar.h>

typedef struct {
  wchar_t *text; /* null while empty */
  size_t length;
  size_t room;
} Text;

/** Ends this process if there is no memory: an installer that continued would do half of its work. */
void *must(void *memory);
wchar_t *copy(const wchar_t *text);
/** All parts, up to NULL, as one string. The caller frees it. */
wchar_t *join(const wchar_t *first, ...);
/** Appends all parts, up to NULL. */
void append(Text *to, ...);
void append_list(Text *to, va_list parts);
void clear(Text *text);

typedef struct {
  wchar_t text[16];
} Digits;
Digits digits(unsigned long number);

/** The next part up to `separator`, cut off in place; null at the end. */
wchar_t *next_part(wchar_t **cursor, wchar_t separator);
char *to_utf8(const wchar_t *text);
wchar_t *from_utf8(const char *text);

#endif

// See text.h.
#include "text.h"
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *must(void *memory) {
  if (memory == NULL) abort();
  return memory;
}

wchar_t *copy(const wchar_t *text) { return must(_wcsdup(text)); }

void append_list(Text *to, va_list parts) {
  const wchar_t *part;
  while ((part = va_arg(parts, const wchar_t *)) != NULL) {
    size_t length = wcslen(part);
    if (to->length + length + 1 > to->room) {
      to->room = 2 * (to->length + length + 32);
      to->text = must(realloc(to->text, to->room * sizeof *to->text));
    }
    memcpy(to->text + to->length, part, (length + 1) * sizeof *part);
    to->length += length;
  }
}

void append(Text *to, ...) {
  va_list parts;
  va_start(parts, to);
  append_list(to, parts);
  va_end(parts);
}

wchar_t *join(const wchar_t *first, ...) {
  Text result = {0};
  va_list parts;
  va_start(parts, first);
  append(&result, first, NULL);
  append_list(&result, parts);
  va_end(parts);
  return result.text;
}

Digits digits(unsigned long number) {
  Digits result;
  swprintf(result.text, sizeof result.text / sizeof *result.text, L"%lu", number);
  return result;
}

void clear(Text *text) {
  free(text->text);
  memset(text, 0, sizeof *text);
}

wchar_t *next_part(wchar_t **cursor, wchar_t separator) {
  wchar_t *part = *cursor, *end;
  if (part == NULL) return NULL;
  end = wcschr(part, separator);
  if (end != NULL) *end = 0;
  *cursor = end == NULL ? NULL : end + 1;
  return part;
}

char *to_utf8(const wchar_t *text) {
  int length = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
  char *result = must(malloc((size_t)length + 1));
  WideCharToMultiByte(CP_UTF8, 0, text, -1, result, length, NULL, NULL);
  return result;
}

wchar_t *from_utf8(const char *text) {
  int length = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
  wchar_t *result = must(malloc(((size_t)length + 1) * sizeof *result));
  MultiByteToWideChar(CP_UTF8, 0, text, -1, result, length);
  return result;
}

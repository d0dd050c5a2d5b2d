/* Answers and events: JSON in UTF-8, one per line. Two threads write, so each line is written at once. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "helper.h"
#include <wincrypt.h>

static CRITICAL_SECTION one_line;

void start_answers(void) { InitializeCriticalSection(&one_line); }

static BOOL has_room(Answer *answer, size_t more) {
  size_t needed = answer->length + more + 1;
  if (answer->failed) return FALSE;
  if (needed <= answer->size) return TRUE;
  size_t size = answer->size == 0 ? 1024 : answer->size;
  while (size < needed) size *= 2;
  char *text = size > MAX_ANSWER ? NULL : malloc(size);
  answer->failed = text == NULL;
  if (text == NULL) return FALSE;
  if (answer->text != NULL) {
    memcpy(text, answer->text, answer->length);
    SecureZeroMemory(answer->text, answer->size);
    free(answer->text);
  }
  answer->text = text;
  answer->size = size;
  return TRUE;
}

static void add_bytes(Answer *answer, const char *bytes, size_t length) {
  if (!has_room(answer, length)) return;
  memcpy(answer->text + answer->length, bytes, length);
  answer->length += length;
}

void add(Answer *answer, const char *format, ...) {
  char text[512];
  va_list values;
  va_start(values, format);
  int length = vsnprintf(text, sizeof text, format, values);
  va_end(values);
  if (length < 0 || (size_t)length >= sizeof text) answer->failed = TRUE;
  else add_bytes(answer, text, (size_t)length);
}

void add_string(Answer *answer, const WCHAR *text, size_t length) {
  add(answer, "\"");
  for (size_t i = 0; i < length; i++) {
    WCHAR one = text[i];
    if (one == '"' || one == '\\') add(answer, "\\%c", (char)one);
    /* Outside ASCII by its number: so nothing depends on how UTF-8 is made, nor on where a pair is cut. */
    else if (one < ' ' || one > '~') add(answer, "\\u%04x", one);
    else add(answer, "%c", (char)one);
  }
  add(answer, "\"");
}

void add_base64(Answer *answer, const BYTE *bytes, DWORD length) {
  const DWORD form = CRYPT_STRING_BASE64 | CRYPT_STRING_NOCRLF;
  DWORD size = 0;
  CryptBinaryToStringA(bytes, length, form, NULL, &size);
  char *text = malloc(size + 1);
  if (text == NULL || !CryptBinaryToStringA(bytes, length, form, text, &size)) answer->failed = TRUE;
  else {
    add(answer, "\"");
    add_bytes(answer, text, strlen(text));
    add(answer, "\"");
  }
  if (text != NULL) SecureZeroMemory(text, size);
  free(text);
}

void refuse(Answer *answer, const char *what, DWORD error) {
  answer->length = 0;
  answer->failed = FALSE;
  add(answer, "!%s (error %lu)", what, error);
}

static void send_line(const char *start, const char *text, size_t length) {
  EnterCriticalSection(&one_line);
  fputs(start, stdout);
  putchar(' ');
  fwrite(text, 1, length, stdout);
  putchar('\n');
  fflush(stdout);
  LeaveCriticalSection(&one_line);
}

void send_answer(const char *id, Answer *answer) {
  if (answer->failed) refuse(answer, "the answer is too long", ERROR_INSUFFICIENT_BUFFER);
  if (answer->failed) send_line(id, "!no memory", strlen("!no memory"));
  else send_line(id, answer->text, answer->length);
  if (answer->text != NULL) SecureZeroMemory(answer->text, answer->size);
  free(answer->text);
}

void send_event(const char *json) { send_line("*", json, strlen(json)); }

WCHAR *wide(const char *text) {
  int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
  WCHAR *result = length > 0 ? malloc((size_t)length * sizeof(WCHAR)) : NULL;
  if (result != NULL) MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, result, length);
  return result;
}

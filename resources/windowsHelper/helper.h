/* What the parts of the helper share. Requests are lines on stdin, `ID COMMAND [ARGUMENT]`; each is answered by one line on
 * stdout, `ID JSON` or `ID !TEXT`. Events are lines `* JSON`. */
#ifndef SIGHTLINE_HELPER_H
#define SIGHTLINE_HELPER_H
#define UNICODE
#define WIN32_LEAN_AND_MEAN
#include <stddef.h>
#include <wchar.h>
#include <winsock2.h>
#include <windows.h>

/* Longer requests are refused. */
#define MAX_REQUEST (256 * 1024)
/* Longer answers are refused. */
#define MAX_ANSWER (4 * 1024 * 1024)

/* A text that grows. After `failed` nothing more is added, and the request is refused. */
typedef struct {
  char *text;
  size_t length, size;
  BOOL failed;
} Answer;

void add(Answer *answer, const char *format, ...) __attribute__((format(gnu_printf, 2, 3)));
/* As a JSON string. A lone surrogate becomes U+FFFD. */
void add_string(Answer *answer, const WCHAR *text, size_t length);
/* As a JSON string of base64. */
void add_base64(Answer *answer, const BYTE *bytes, DWORD length);
/* Why a request is refused. */
void refuse(Answer *answer, const char *what, DWORD error);

void start_answers(void);
/* And forgets it: it may be a key. */
void send_answer(const char *id, Answer *answer);
void send_event(const char *json);
/* NULL if it is not UTF-8. The caller frees it. */
WCHAR *wide(const char *text);

/* Each fills in the answer for its command. The argument is never NULL. */
void answer_monitors(Answer *answer, char *argument);
void answer_peers(Answer *answer, char *argument);
void answer_system_folder(Answer *answer, char *argument);
void answer_registry(Answer *answer, char *argument);
void answer_watch_registry(Answer *answer, char *argument);
void answer_protect(Answer *answer, char *argument);
void answer_unprotect(Answer *answer, char *argument);
void answer_watch_session(Answer *answer, char *argument);
void answer_watch_foreground(Answer *answer, char *argument);

/* The hidden window, which receives what Windows sends to programs with a window only; NULL where there is no desktop. */
extern HWND window;
/* Set once stdin has ended: Sightline has ended, or does not need the helper any more. */
extern HANDLE stdin_ended;

/* FALSE if the message to the window is not about the session. */
BOOL receive_session(UINT message, WPARAM first, LPARAM second, LRESULT *result);
#endif

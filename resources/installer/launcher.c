// Starts Node with the command line bundle that lies beside it. Built twice: as bin\sightline.exe for the console, which
// passes its words, handles and exit code on, and with -DBACKGROUND as the program that Windows starts at sign-in where
// the app is installed without Electron: it opens no console window. A .cmd file could do neither: it asks "Terminate
// batch job?" on Ctrl-C, reads % and ^ in its arguments, and shows a window.
#include <windows.h>
#include <stdlib.h>
#include <wchar.h>

#define EXIT_UNAVAILABLE 69

#ifndef BACKGROUND
static BOOL WINAPI leave_it_to_the_child(DWORD event) {
  return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
}
#endif

/** The command line behind the program's own name (rules of CommandLineToArgvW for the first word). */
static const wchar_t *words_after_name(const wchar_t *line) {
  if (*line == L'"') {
    for (line++; *line != 0 && *line != L'"';) line++;
    if (*line == L'"') line++;
  } else {
    while (*line > L' ') line++;
  }
  while (*line == L' ' || *line == L'\t') line++;
  return line;
}

/** A job that ends the child when this process ends, however that happens. */
static void tie_to_us(HANDLE child) {
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
  HANDLE job = CreateJobObjectW(NULL, NULL);
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
  if (job == NULL) return;
  SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
  AssignProcessToJobObject(job, child);
}

/** What could make Node or OpenSSL load somebody else's code. Roots that it is to trust as well are the network's matter. */
static int loads_code(const wchar_t *variable) {
  if (_wcsnicmp(variable, L"NODE_EXTRA_CA_CERTS=", 20) == 0) return 0;
  return _wcsnicmp(variable, L"NODE_", 5) == 0 || _wcsnicmp(variable, L"OPENSSL_", 8) == 0;
}

/** A user's variables are not for a program that the machine's administrator has installed. */
static void clear_environment(void) {
  wchar_t *all = GetEnvironmentStringsW(); /* a copy */
  wchar_t *one, *next;
  if (all == NULL) return;
  for (one = all; *one != 0; one = next) {
    wchar_t *end = wcschr(one + 1, L'=');
    next = one + wcslen(one) + 1;
    if (end == NULL || !loads_code(one)) continue;
    *end = 0;
    SetEnvironmentVariableW(one, NULL);
  }
  FreeEnvironmentStringsW(all);
}

static int launch(void) {
  static wchar_t folder[32768];
  const wchar_t *words = words_after_name(GetCommandLineW());
  STARTUPINFOW start = {0};
  PROCESS_INFORMATION child;
  DWORD code = EXIT_UNAVAILABLE, flags = CREATE_SUSPENDED;
  wchar_t *line;
  size_t room;
  BOOL started;
  DWORD length = GetModuleFileNameW(NULL, folder, 32768);
  if (length == 0 || length >= 32768) return EXIT_UNAVAILABLE;
  *wcsrchr(folder, L'\\') = 0;
#ifdef BACKGROUND
  if (*words == 0) words = L"serve";
  flags |= CREATE_NO_WINDOW;
#else
  *wcsrchr(folder, L'\\') = 0;
  SetConsoleCtrlHandler(leave_it_to_the_child, TRUE);
#endif
  clear_environment();
  room = 2 * wcslen(folder) + wcslen(words) + 64;
  line = malloc(room * sizeof *line);
  if (line == NULL) return EXIT_UNAVAILABLE;
  swprintf(line, room, L"\"%ls\\cli\\node.exe\" \"%ls\\cli\\sightline.mjs\" %ls", folder, folder, words);
  start.cb = sizeof start;
  start.dwFlags = STARTF_USESTDHANDLES;
#ifdef BACKGROUND
  {
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    HANDLE nothing = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit, OPEN_EXISTING, 0, NULL);
    start.hStdInput = start.hStdOutput = start.hStdError = nothing;
  }
#else
  start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
  start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
  start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
  SetHandleInformation(start.hStdInput, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  SetHandleInformation(start.hStdOutput, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  SetHandleInformation(start.hStdError, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
#endif
  started = CreateProcessW(NULL, line, NULL, NULL, TRUE, flags, NULL, NULL, &start, &child);
  if (!started) {
#ifndef BACKGROUND
    static const char text[] = "sightline: its cli folder is incomplete. Reinstall Sightline.\r\n";
    DWORD written;
    WriteFile(GetStdHandle(STD_ERROR_HANDLE), text, sizeof text - 1, &written, NULL);
#endif
    return EXIT_UNAVAILABLE;
  }
  tie_to_us(child.hProcess);
  ResumeThread(child.hThread);
  WaitForSingleObject(child.hProcess, INFINITE);
  GetExitCodeProcess(child.hProcess, &code);
  return (int)code;
}

#ifdef BACKGROUND
int WINAPI wWinMain(HINSTANCE instance, HINSTANCE before, PWSTR line, int show) {
  (void)instance, (void)before, (void)line, (void)show;
  return launch();
}
#else
int wmain(void) {
  return launch();
}
#endif

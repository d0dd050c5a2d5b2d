// Starts Node with the command line's bundle. Built twice: as bin\sightline.exe for the console, which passes on arguments,
// handles and exit code; and with -DBACKGROUND as the program that Windows starts at sign-in if the app is installed without
// Electron, which opens no console window. A .cmd file cannot do either: it asks "Terminate batch job?" on Ctrl+C, interprets
// % and ^ in its arguments, and shows a window.
#include <windows.h>
#include <stdlib.h>
#include <wchar.h>

#define EXIT_UNAVAILABLE 69

#ifndef BACKGROUND
static BOOL WINAPI ignore_ctrl_c(DWORD event) {
  return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
}
#endif

/** The command line after the program's name, which ends by the rules of CommandLineToArgvW for the first argument. */
static const wchar_t *arguments_of(const wchar_t *line) {
  if (*line == L'"') {
    for (line++; *line != 0 && *line != L'"';) line++;
    if (*line == L'"') line++;
  } else {
    while (*line > L' ') line++;
  }
  while (*line == L' ' || *line == L'\t') line++;
  return line;
}

/** Adds the child to a job that ends it when this process exits or is killed. */
static void end_with_us(HANDLE child) {
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
  HANDLE job = CreateJobObjectW(NULL, NULL);
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
  if (job == NULL) return;
  SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
  AssignProcessToJobObject(job, child);
}

/** Whether it can make Node or OpenSSL load other code. */
static int loads_code(const wchar_t *variable) {
  return _wcsnicmp(variable, L"NODE_", 5) == 0 || _wcsnicmp(variable, L"OPENSSL_", 8) == 0;
}

/** A user must not be able to load code into a program that an administrator has installed. */
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
  const wchar_t *arguments = arguments_of(GetCommandLineW());
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
  if (*arguments == 0) arguments = L"serve";
  flags |= CREATE_NO_WINDOW;
#else
  *wcsrchr(folder, L'\\') = 0;
  SetConsoleCtrlHandler(ignore_ctrl_c, TRUE);
#endif
  clear_environment();
  room = 2 * wcslen(folder) + wcslen(arguments) + 64;
  line = malloc(room * sizeof *line);
  if (line == NULL) return EXIT_UNAVAILABLE;
  swprintf(line, room, L"\"%ls\\cli\\node.exe\" \"%ls\\cli\\sightline.mjs\" %ls", folder, folder, arguments);
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
  end_with_us(child.hProcess);
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

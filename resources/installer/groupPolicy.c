// See groupPolicy.h. Windows keeps the registry values that group policy has set for the machine in %ProgramData%\ntuser.pol,
// and those of the local policy in GroupPolicy\Machine\Registry.pol. Both are UTF-16 with records [key;value;type;size;data],
// in which strings end with a null:
// https://learn.microsoft.com/previous-versions/windows/desktop/policy/registry-policy-file-format
#include "groupPolicy.h"
#include "text.h"
#include <windows.h>
#include <stdlib.h>

static const wchar_t *const files[] = {
  L"%ProgramData%\\ntuser.pol",
  L"%SystemRoot%\\System32\\GroupPolicy\\Machine\\Registry.pol",
};
/** In bytes; far above any real one. */
#define MAX_FILE (64u << 20)

/** The whole file; null if there is none. `length` in characters. */
static wchar_t *read_file(const wchar_t *name, size_t *length) {
  wchar_t path[MAX_PATH];
  wchar_t *text = NULL;
  DWORD size, got = 0;
  HANDLE file;
  DWORD room = ExpandEnvironmentStringsW(name, path, MAX_PATH);
  if (room == 0 || room > MAX_PATH) return NULL;
  file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) return NULL;
  size = GetFileSize(file, NULL);
  if (size >= 8 && size < MAX_FILE) {
    text = must(malloc(size + sizeof *text));
    if (!ReadFile(file, text, size, &got, NULL)) got = 0;
  }
  CloseHandle(file);
  *length = got / sizeof(wchar_t);
  return text;
}

/** Whether a record for this value starts here: "[key", null, ";name", null, ";". */
static int is_record_of(const wchar_t *text, size_t length, const wchar_t *key, size_t keyLength, const wchar_t *name, size_t nameLength) {
  if (length < keyLength + nameLength + 5) return 0;
  return text[0] == L'[' && _wcsnicmp(text + 1, key, keyLength) == 0 && text[1 + keyLength] == 0 &&
         text[2 + keyLength] == L';' && _wcsnicmp(text + 3 + keyLength, name, nameLength) == 0 &&
         text[3 + keyLength + nameLength] == 0 && text[4 + keyLength + nameLength] == L';';
}

int is_group_policy(const wchar_t *path) {
  const wchar_t *end = wcsrchr(path, L'\\');
  int found = 0;
  for (size_t i = 0; end != NULL && i < sizeof files / sizeof *files && !found; i++) {
    size_t length = 0;
    wchar_t *text = read_file(files[i], &length);
    for (size_t at = 0; text != NULL && at < length && !found; at++)
      found = is_record_of(text + at, length - at, path, (size_t)(end - path), end + 1, wcslen(end + 1));
    free(text);
  }
  return found;
}

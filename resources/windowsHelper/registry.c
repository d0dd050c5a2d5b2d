/* `registry KEY`: everything below a key such as HKLM\SOFTWARE\Policies\Sightline, as JSON: an array of
 * {key, name, type, data}, in which `key` is relative, or null where the key does not exist. Any other failure is refused:
 * a policy that cannot be read must not look like one that is absent. Data is a string (REG_SZ, REG_EXPAND_SZ), a number
 * (REG_DWORD, REG_QWORD), an array of strings (REG_MULTI_SZ) or null (other types).
 *
 * `watch-registry KEY`: an event for each change below the key, and when it appears or disappears.
 * https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regnotifychangekeyvalue */
#include <stdlib.h>
#include <string.h>
#include "helper.h"

#define MAX_DEPTH 16
#define MAX_KEY_NAME 256
#define MAX_VALUE_NAME 16384
#define MAX_VALUE (1024 * 1024)
#define MAX_WATCHES 8

typedef struct {
  Answer *answer;
  BOOL has_any;
  WCHAR path[MAX_DEPTH * MAX_KEY_NAME];
} Listing;

/* NULL for an unknown hive. `path` begins after the hive. */
static HKEY hive_of(WCHAR *place, WCHAR **path) {
  *path = place + 5;
  if (wcsncmp(place, L"HKLM\\", 5) == 0) return HKEY_LOCAL_MACHINE;
  if (wcsncmp(place, L"HKCU\\", 5) == 0) return HKEY_CURRENT_USER;
  return NULL;
}

static BOOL is_absent(LSTATUS error) { return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND; }

/* What is stored may lack its final NUL, or have others after it. */
static size_t length_of(const BYTE *data, DWORD size) {
  const WCHAR *text = (const WCHAR *)data;
  size_t length = 0;
  while (length < size / sizeof(WCHAR) && text[length] != 0) length++;
  return length;
}

static void add_list(Answer *answer, const BYTE *data, DWORD size) {
  const WCHAR *text = (const WCHAR *)data;
  size_t count = size / sizeof(WCHAR), at = 0;
  add(answer, "[");
  while (at < count && text[at] != 0) {
    size_t length = length_of((const BYTE *)(text + at), (DWORD)((count - at) * sizeof(WCHAR)));
    if (at > 0) add(answer, ",");
    add_string(answer, text + at, length);
    at += length + 1;
  }
  add(answer, "]");
}

static void add_data(Answer *answer, DWORD type, const BYTE *data, DWORD size) {
  if (type == REG_SZ || type == REG_EXPAND_SZ) add_string(answer, (const WCHAR *)data, length_of(data, size));
  else if (type == REG_DWORD && size == 4) add(answer, "%lu", *(const DWORD *)data);
  else if (type == REG_QWORD && size == 8) add(answer, "%llu", *(const ULONGLONG *)data);
  else if (type == REG_MULTI_SZ) add_list(answer, data, size);
  else add(answer, "null");
}

static LSTATUS add_values(Listing *listing, HKEY key, BYTE *data) {
  static WCHAR name[MAX_VALUE_NAME];
  for (DWORD i = 0;; i++) {
    DWORD length = MAX_VALUE_NAME, size = MAX_VALUE, type;
    LSTATUS error = RegEnumValueW(key, i, name, &length, NULL, &type, data, &size);
    if (error == ERROR_NO_MORE_ITEMS) return ERROR_SUCCESS;
    if (error != ERROR_SUCCESS) return error;
    add(listing->answer, "%s{\"key\":", listing->has_any ? "," : "");
    listing->has_any = TRUE;
    add_string(listing->answer, listing->path, wcslen(listing->path));
    add(listing->answer, ",\"name\":");
    add_string(listing->answer, name, length);
    add(listing->answer, ",\"type\":%lu,\"data\":", type);
    add_data(listing->answer, type, data, size);
    add(listing->answer, "}");
  }
}

static LSTATUS add_key(Listing *listing, HKEY key, BYTE *data, int depth) {
  LSTATUS error = add_values(listing, key, data);
  size_t end = wcslen(listing->path);
  for (DWORD i = 0; error == ERROR_SUCCESS; i++) {
    WCHAR name[MAX_KEY_NAME];
    DWORD length = MAX_KEY_NAME;
    HKEY below;
    LSTATUS next = RegEnumKeyExW(key, i, name, &length, NULL, NULL, NULL, NULL);
    if (next == ERROR_NO_MORE_ITEMS) break;
    if (next != ERROR_SUCCESS) return next;
    if (depth + 1 >= MAX_DEPTH) return ERROR_INSUFFICIENT_BUFFER;
    error = RegOpenKeyExW(key, name, 0, KEY_READ | KEY_WOW64_64KEY, &below);
    /* It was deleted in between. */
    if (is_absent(error)) {
      error = ERROR_SUCCESS;
      continue;
    }
    if (error != ERROR_SUCCESS) return error;
    if (end > 0) wcscat(listing->path, L"\\");
    wcscat(listing->path, name);
    error = add_key(listing, below, data, depth + 1);
    listing->path[end] = 0;
    RegCloseKey(below);
  }
  return error;
}

void answer_registry(Answer *answer, char *argument) {
  Listing *listing = calloc(1, sizeof *listing);
  BYTE *data = malloc(MAX_VALUE);
  WCHAR *place = wide(argument), *path;
  HKEY hive = place == NULL ? NULL : hive_of(place, &path), key;
  LSTATUS error = ERROR_INVALID_PARAMETER;
  if (listing == NULL || data == NULL) error = ERROR_NOT_ENOUGH_MEMORY;
  else if (hive != NULL) error = RegOpenKeyExW(hive, path, 0, KEY_READ | KEY_WOW64_64KEY, &key);
  if (is_absent(error)) add(answer, "null");
  else if (error == ERROR_SUCCESS) {
    listing->answer = answer;
    add(answer, "[");
    error = add_key(listing, key, data, 0);
    add(answer, "]");
    RegCloseKey(key);
    if (error != ERROR_SUCCESS) refuse(answer, "the registry cannot be read", (DWORD)error);
  } else refuse(answer, "the registry cannot be read", (DWORD)error);
  free(place);
  free(data);
  free(listing);
}

/* The key, or where it is absent the deepest one above it. */
static HKEY open_deepest(HKEY hive, const WCHAR *path, BOOL *is_whole) {
  WCHAR *part = _wcsdup(path);
  HKEY key = NULL;
  *is_whole = TRUE;
  while (part != NULL) {
    if (RegOpenKeyExW(hive, part, 0, KEY_NOTIFY | KEY_WOW64_64KEY, &key) == ERROR_SUCCESS) break;
    key = NULL;
    *is_whole = FALSE;
    WCHAR *last = wcsrchr(part, '\\');
    if (last == NULL) break;
    *last = 0;
  }
  free(part);
  return key;
}

/* Each round begins to watch before it reports the change of the round before: whoever reads the key because of the event
 * misses nothing. */
static DWORD WINAPI watch(LPVOID argument) {
  WCHAR *place = argument, *path;
  HKEY hive = hive_of(place, &path);
  Answer event = {0};
  add(&event, "{\"event\":\"registry\",\"key\":");
  add_string(&event, place, wcslen(place));
  add(&event, "}%c", 0);
  const DWORD names = REG_NOTIFY_CHANGE_NAME, values = REG_NOTIFY_CHANGE_LAST_SET;
  for (BOOL is_first = TRUE;; is_first = FALSE) {
    BOOL is_whole;
    HKEY key = open_deepest(hive, path, &is_whole);
    HANDLE changed = CreateEventW(NULL, TRUE, FALSE, NULL);
    LSTATUS error = key == NULL ? ERROR_FILE_NOT_FOUND
                                : RegNotifyChangeKeyValue(key, is_whole, is_whole ? names | values : names, changed, TRUE);
    if (!is_first) send_event(event.text);
    if (error == ERROR_SUCCESS) WaitForSingleObject(changed, INFINITE);
    /* Nothing can be watched now, or the key was just deleted. */
    else Sleep(1000);
    if (key != NULL) RegCloseKey(key);
    CloseHandle(changed);
  }
  return 0;
}

void answer_watch_registry(Answer *answer, char *argument) {
  static int watches;
  WCHAR *place = wide(argument), *path;
  HANDLE thread = NULL;
  if (place != NULL && hive_of(place, &path) != NULL && watches < MAX_WATCHES)
    thread = CreateThread(NULL, 64 * 1024, watch, place, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
  if (thread == NULL) {
    free(place);
    refuse(answer, "the registry cannot be watched", ERROR_INVALID_PARAMETER);
    return;
  }
  watches++;
  CloseHandle(thread);
  add(answer, "true");
}

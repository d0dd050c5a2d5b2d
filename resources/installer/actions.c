// The installer's custom actions: a DLL in C, because scripts in an MSI are deprecated by Windows and .NET is not
// everywhere. The Registry table could not do this: it deletes a value by its name, whoever wrote it last, and group
// policy writes the very same values. So what was written is remembered beside it (WRITTEN_KEY); only a value that
// still is as we wrote it is ever changed or deleted. Prepare plans and touches nothing; Apply and Undo carry out.
#define UNICODE
#define _UNICODE
#include <windows.h>
#include <msi.h>
#include <msiquery.h>
#include <userenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include "caller.h"
#include "checks.h"
#include "groupPolicy.h"
#include "registry.h"
#include "text.h"

#define OUR_KEY L"SOFTWARE\\Sightline\\Installer"
#define WRITTEN_KEY OUR_KEY L"\\Written"
#define POLICY_KEY L"SOFTWARE\\Policies\\Sightline"
#define RUN_VALUE L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\Sightline"

typedef struct {
  const wchar_t *property;
  /** The policy key's name, or null for what is only the installer's own. */
  const wchar_t *policy;
  DWORD type;
  Check check;
} Setting;

enum { DOMAINS, PORT, SINK, BUCKET, REGION, KMS_KEY, AUTOSTART, BROWSER, SETTINGS };
static const Setting settings[SETTINGS] = {
  [DOMAINS] = {L"ALLOWED_CONNECT_DOMAINS", L"allowedDomains", REG_SZ, CHECK_DOMAINS},
  [PORT] = {L"PORT", L"port", REG_DWORD, CHECK_PORT},
  [SINK] = {L"SINK", L"sink", REG_SZ, CHECK_SINK},
  [BUCKET] = {L"S3_BUCKET", L"s3Bucket", REG_SZ, CHECK_BUCKET},
  [REGION] = {L"S3_REGION", L"awsRegion", REG_SZ, CHECK_REGION},
  [KMS_KEY] = {L"KMS_KEY_ID", L"s3KmsKeyId", REG_SZ, CHECK_KMS_KEY},
  [AUTOSTART] = {L"AUTOSTART", L"autostart", REG_DWORD, CHECK_FLAG},
  [BROWSER] = {L"BROWSER_POLICY", NULL, REG_SZ, CHECK_FLAG},
};
static const wchar_t *const browserKeys[] = {
  L"SOFTWARE\\Policies\\Google\\Chrome\\LoopbackNetworkAllowedForUrls",
  L"SOFTWARE\\Policies\\Microsoft\\Edge\\LoopbackNetworkAllowedForUrls",
};

static void tell(MSIHANDLE session, INSTALLMESSAGE kind, const wchar_t *text) {
  /* The text as a field, not as the template: a template's brackets would be read as properties. */
  MSIHANDLE record = MsiCreateRecord(1);
  MsiRecordSetStringW(record, 0, L"[1]");
  MsiRecordSetStringW(record, 1, text);
  MsiProcessMessage(session, kind, record);
  MsiCloseHandle(record);
}

/** The caller frees it. Never null. */
static wchar_t *property(MSIHANDLE session, const wchar_t *name) {
  wchar_t none[1] = L"";
  DWORD length = 0;
  wchar_t *text;
  MsiGetPropertyW(session, name, none, &length);
  text = must(calloc(length + 1, sizeof *text));
  length++;
  MsiGetPropertyW(session, name, text, &length);
  return text;
}

static int is_given(MSIHANDLE session, const wchar_t *name) {
  wchar_t *text = property(session, name);
  int given = *text != 0;
  free(text);
  return given;
}

/** A value in its stored form, or null where it is bad and was complained about. The caller frees it. */
static wchar_t *judge(const Setting *setting, const wchar_t *value, const wchar_t *whose, Text *problems) {
  static char problem[16384];
  char *plain = to_utf8(value);
  char *normal = must(malloc(strlen(plain) + 1));
  int good = check_value(setting->check, plain, normal, problem, sizeof problem);
  wchar_t *result = from_utf8(good ? normal : problem);
  free(plain);
  free(normal);
  if (good) return result;
  append(problems, L"\n", setting->property, whose, L": ", result, NULL);
  free(result);
  return NULL;
}

/**
 * What the command line says of one setting, in its stored form; null when it says nothing or something bad. Of a user
 * nothing is taken: Windows Installer lets everybody repair what is installed, and does it as SYSTEM.
 */
static wchar_t *given_value(MSIHANDLE session, const Setting *setting, int trusted, Text *problems) {
  wchar_t *value = property(session, setting->property);
  wchar_t *result = NULL;
  if (*value != 0 && trusted) result = judge(setting, value, L"", problems);
  if (*value != 0 && !trusted) {
    Text note = {0};
    append(&note, L"Sightline: ", setting->property,
           L" is ignored: only an administrator sets it. Run msiexec from an elevated prompt, or as SYSTEM.", NULL);
    tell(session, INSTALLMESSAGE_INFO, note.text);
    clear(&note);
  }
  free(value);
  return result;
}

/** With a backslash at its end, without dots and short names. The caller frees it. */
static wchar_t *full_path(const wchar_t *path) {
  static wchar_t full[32768], longer[32768];
  Text result = {0};
  DWORD length = GetFullPathNameW(path, 32768, full, NULL);
  if (length == 0 || length >= 32768) return copy(path);
  length = GetLongPathNameW(full, longer, 32768); /* fails where it is not there yet */
  append(&result, length == 0 || length >= 32768 ? full : longer, NULL);
  if (result.text[result.length - 1] != L'\\') append(&result, L"\\", NULL);
  return result.text;
}

static int same_folder(const wchar_t *one, const wchar_t *other) {
  wchar_t *first = full_path(one), *second = full_path(other);
  int result = _wcsicmp(first, second) == 0;
  free(first);
  free(second);
  return result;
}

/** The folder is written into the machine's start at sign-in, and programs in it are ended. */
static void judge_folder(MSIHANDLE session, Text *problems) {
  static const wchar_t *const properties[] = {
    L"WindowsFolder", L"ProgramFiles64Folder", L"ProgramFilesFolder", L"CommonFiles64Folder",
    L"CommonFilesFolder", L"CommonAppDataFolder",
  };
  /* The users' folders and Windows' own. */
  enum { PROPERTIES = sizeof properties / sizeof *properties, CLOSED = 2 };
  static wchar_t profiles[MAX_PATH + 1];
  static char problem[4096];
  wchar_t *given = property(session, L"INSTALLDIR"), *folder = full_path(given), *result;
  char *plain = to_utf8(folder);
  char *taken[PROPERTIES + 1];
  DWORD room = MAX_PATH;
  size_t count = 0;
  Value recorded;
  if (!GetProfilesDirectoryW(profiles, &room)) wcscpy(profiles, L"C:\\Users");
  result = full_path(profiles);
  taken[count++] = to_utf8(result);
  free(result);
  for (size_t i = 0; i < PROPERTIES; i++) {
    wchar_t *one = property(session, properties[i]);
    if (*one != 0) taken[count++] = to_utf8(one);
    free(one);
  }
  if (!check_folder(plain, (const char *const *)taken, count, CLOSED, problem, sizeof problem)) {
    result = from_utf8(problem);
    append(problems, L"\nINSTALLDIR: ", result, NULL);
    free(result);
  }
  while (count > 0) free(taken[--count]);
  if (is_given(session, L"Installed") && read_value(OUR_KEY L"\\InstallDir", OUR_KEY L"\\InstallDir", &recorded)) {
    if (!same_folder(recorded.text, folder))
      append(problems, L"\nINSTALLDIR: Sightline is installed in ", recorded.text,
             L" and stays there; remove it first to have it elsewhere", NULL);
    free_value(&recorded);
  }
  free(plain);
  free(folder);
  free(given);
}

/** A value is ours as long as it is what we wrote and group policy has not set it, be it to the same. */
static int is_ours(const Values *written, const wchar_t *path, const Value *now) {
  const Value *before = find(written, path);
  return before != NULL && now != NULL && same(before, now) && !is_group_policy(path);
}

/** One entry a domain in each browser's list; entries that others made are left, and not made again. */
static void want_browser_entries(Values *wanted, const Values *written, const wchar_t *domains) {
  for (size_t browser = 0; browser < sizeof browserKeys / sizeof *browserKeys; browser++) {
    Values there = {0};
    wchar_t *rest = copy(domains), *cursor = rest, *domain;
    read_all(browserKeys[browser], browserKeys[browser], &there);
    while ((domain = next_part(&cursor, L',')) != NULL) {
      Text url = {0}, path = {0};
      const Value *entry = NULL;
      append(&url, L"https://", domain, NULL);
      for (int i = 0; i < there.count; i++)
        if (there.items[i].type == REG_SZ && wcscmp(there.items[i].text, url.text) == 0) entry = &there.items[i];
      if (entry != NULL) {
        if (is_ours(written, entry->path, entry)) put(wanted, entry->path, REG_SZ, url.text);
      } else {
        int number = 0;
        do {
          wchar_t digits[16];
          swprintf(digits, 16, L"%d", ++number);
          clear(&path);
          append(&path, browserKeys[browser], L"\\", digits, NULL);
        } while (find(&there, path.text) != NULL || find(wanted, path.text) != NULL);
        put(wanted, path.text, REG_SZ, url.text);
      }
      clear(&url);
      clear(&path);
    }
    free(rest);
    free_values(&there);
  }
}

/** Everything that this installation is to hold. Problems are for the user; with any of them nothing is done. */
static void gather_wanted(MSIHANDLE session, const Values *written, Values *wanted, Values *own, Text *problems) {
  wchar_t *now[SETTINGS] = {0};
  int trusted = is_administrator();
  for (int i = 0; i < SETTINGS; i++) {
    Text path = {0};
    Value there;
    append(&path, settings[i].policy != NULL ? POLICY_KEY : OUR_KEY, L"\\",
           settings[i].policy != NULL ? settings[i].policy : settings[i].property, NULL);
    int found = read_value(path.text, path.text, &there);
    now[i] = given_value(session, &settings[i], trusted, problems);
    /* Not given again: what an earlier installation wrote stays, as long as it is still what it wrote. */
    int keeps = now[i] == NULL && found && (settings[i].policy == NULL || is_ours(written, path.text, &there));
    if (now[i] != NULL || keeps)
      put(settings[i].policy != NULL ? wanted : own, path.text, settings[i].type, keeps ? there.text : now[i]);
    /* What holds for other settings is what will be in the registry: somebody else's value too. */
    if (found && (now[i] == NULL || (settings[i].policy != NULL && !is_ours(written, path.text, &there)))) {
      free(now[i]);
      now[i] = copy(there.text);
    }
    if (found) free_value(&there);
    clear(&path);
  }
  if (now[SINK] != NULL && wcscmp(now[SINK], L"s3") == 0 && now[BUCKET] == NULL)
    append(problems, L"\nSINK: s3 needs S3_BUCKET as well", NULL);
  if (now[BROWSER] != NULL && wcscmp(now[BROWSER], L"1") == 0) {
    if (now[DOMAINS] == NULL || *now[DOMAINS] == 0)
      append(problems, L"\nBROWSER_POLICY: 1 needs ALLOWED_CONNECT_DOMAINS as well", NULL);
    else {
      /* They may be somebody else's, written by hand. */
      wchar_t *domains = judge(&settings[DOMAINS], now[DOMAINS], L" (as it is in the registry)", problems);
      if (domains != NULL) want_browser_entries(wanted, written, domains);
      free(domains);
    }
  }
  if (now[AUTOSTART] == NULL || wcscmp(now[AUTOSTART], L"0") != 0) {
    wchar_t *folder = property(session, L"INSTALLDIR");
    Text command = {0};
    append(&command, L"\"", folder, L"Sightline.exe\"", NULL);
    put(wanted, RUN_VALUE, REG_SZ, command.text);
    clear(&command);
    free(folder);
  }
  for (int i = 0; i < SETTINGS; i++) free(now[i]);
}

static void plan_change(const wchar_t *path, const Value *from, const Value *to, Text *apply, Text *undo) {
  Text before = {0};
  write_step(apply, path, to);
  /* Undone in the opposite order. */
  write_step(&before, path, from);
  append(&before, undo->text != NULL ? undo->text : L"", NULL);
  clear(undo);
  *undo = before;
}

static void plan_our_own(const wchar_t *key, const wchar_t *name, const Value *to, Text *apply, Text *undo) {
  Text path = {0};
  Value there;
  append(&path, key, L"\\", name, NULL);
  int found = read_value(path.text, path.text, &there);
  plan_change(path.text, found ? &there : NULL, to, apply, undo);
  if (found) free_value(&there);
  clear(&path);
}

static void plan(MSIHANDLE session, const Values *written, const Values *wanted, Text *apply, Text *undo) {
  for (int i = 0; i < wanted->count; i++) {
    const Value *want = &wanted->items[i];
    Value there;
    int found = read_value(want->path, want->path, &there);
    if (found && !is_ours(written, want->path, &there)) {
      if (!same(&there, want)) {
        Text note = {0};
        append(&note, L"Sightline: HKLM\\", want->path,
               L" was set by somebody else, for example by group policy, and stays as it is.", NULL);
        tell(session, INSTALLMESSAGE_INFO, note.text);
        clear(&note);
      }
      if (find(written, want->path) != NULL) plan_our_own(WRITTEN_KEY, want->path, NULL, apply, undo);
    } else {
      plan_change(want->path, found ? &there : NULL, want, apply, undo);
      plan_our_own(WRITTEN_KEY, want->path, want, apply, undo);
    }
    if (found) free_value(&there);
  }
  for (int i = 0; i < written->count; i++) {
    const Value *before = &written->items[i];
    Value there;
    int found = read_value(before->path, before->path, &there);
    if (find(wanted, before->path) == NULL) {
      if (found && is_ours(written, before->path, &there)) plan_change(before->path, &there, NULL, apply, undo);
      plan_our_own(WRITTEN_KEY, before->path, NULL, apply, undo);
    }
    if (found) free_value(&there);
  }
}

/** Immediate, after CostFinalize: judges the properties, plans, and hands the plan to Apply and Undo. */
UINT __stdcall Prepare(MSIHANDLE session) {
  Values written = {0}, wanted = {0}, own = {0};
  Text problems = {0}, apply = {0}, undo = {0};
  wchar_t *remove = property(session, L"REMOVE");
  int removing = wcscmp(remove, L"ALL") == 0;
  free(remove);
  /* The newer version's installer has planned with what is there now and takes it over. */
  if (is_given(session, L"UPGRADINGPRODUCTCODE")) return ERROR_SUCCESS;
  read_all(WRITTEN_KEY, NULL, &written);
  if (!removing) {
    judge_folder(session, &problems);
    gather_wanted(session, &written, &wanted, &own, &problems);
  }
  if (problems.text != NULL) {
    Text message = {0};
    append(&message, L"Sightline was not installed, because of its properties:", problems.text, NULL);
    tell(session, INSTALLMESSAGE_ERROR | MB_ICONERROR, message.text);
    return ERROR_INSTALL_FAILURE;
  }
  plan(session, &written, &wanted, &apply, &undo);
  for (int i = 0; i < SETTINGS; i++) {
    if (settings[i].policy != NULL) continue;
    Text path = {0};
    append(&path, OUR_KEY, L"\\", settings[i].property, NULL);
    plan_our_own(OUR_KEY, settings[i].property, find(&own, path.text), &apply, &undo);
    clear(&path);
  }
  MsiSetPropertyW(session, L"UndoPolicy", undo.text);
  MsiSetPropertyW(session, L"ApplyPolicy", apply.text);
  return ERROR_SUCCESS;
}

/** Deferred and as rollback, as SYSTEM: the steps of the plan, one after the other. */
UINT __stdcall Apply(MSIHANDLE session) {
  wchar_t *steps = property(session, L"CustomActionData");
  wchar_t *cursor = steps, *step;
  UINT result = ERROR_SUCCESS;
  while ((step = next_part(&cursor, L'\n')) != NULL) {
    if (*step == 0) continue;
    LONG status = carry_out(step);
    if (status == ERROR_SUCCESS) continue;
    Text message = {0};
    wchar_t code[16];
    swprintf(code, 16, L"%ld", status);
    append(&message, L"Sightline: the registry refused a change (error ", code, L"): ", step, NULL);
    tell(session, INSTALLMESSAGE_ERROR | MB_ICONERROR, message.text);
    clear(&message);
    result = ERROR_INSTALL_FAILURE;
    break;
  }
  free(steps);
  return result;
}

// Which values the installer's properties may have. Plain C on UTF-8 without Windows, so that they can be tested on any system
// with a compiler. The rules for domains are those of main/policy/domains.ts, and a test compares the two.
#ifndef SIGHTLINE_CHECKS_H
#define SIGHTLINE_CHECKS_H
#include <stddef.h>

typedef enum { CHECK_DOMAINS, CHECK_PORT, CHECK_SINK, CHECK_BUCKET, CHECK_REGION, CHECK_KMS_KEY, CHECK_FLAG } Check;

/**
 * Checks a value and converts it to its stored form.
 *
 * @param normal the stored form; needs as much room as the value, with its null
 * @param problems what is wrong, with each invalid entry; empty if valid
 * @returns 1 if valid
 */
int check_value(Check check, const char *value, char *normal, char *problems, size_t problemsSize);

/**
 * Checks the folder of the installation, which must not be a folder of the system.
 *
 * @param folder a full path that ends in a backslash, like all others here
 * @param taken folders of the system; the first `closed` of them also must not contain the folder
 * @param problem what is wrong; empty if valid
 * @returns 1 if valid
 */
int check_folder(const char *folder, const char *const *taken, size_t count, size_t closed, char *problem,
                 size_t problemSize);

#endif

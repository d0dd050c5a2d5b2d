// What the installer's properties may hold. Plain C on UTF-8 without Windows, so that the rules are tested wherever
// there is a compiler; the rules for domains are those of main/policy/domains.ts, and a test holds the two together.
#ifndef SIGHTLINE_CHECKS_H
#define SIGHTLINE_CHECKS_H
#include <stddef.h>

typedef enum { CHECK_DOMAINS, CHECK_PORT, CHECK_SINK, CHECK_BUCKET, CHECK_REGION, CHECK_KMS_KEY, CHECK_FLAG } Check;

/**
 * Judges a value and puts it into the form in which it is stored.
 *
 * @param normal at least as long as the value, with its end
 * @param problems what is wrong, each entry named; empty when all is well
 * @returns 1 when the value is good
 */
int check_value(Check check, const char *value, char *normal, char *problems, size_t problemsSize);

/**
 * Judges the folder of the installation. It has to be Sightline's own: others' programs do not belong below it.
 *
 * @param folder a full path with a backslash at its end, as are the others
 * @param taken folders of the system, first those in which nobody installs anything
 * @param closed how many are of that kind
 * @param problem what is wrong; empty when all is well
 * @returns 1 when the folder is good
 */
int check_folder(const char *folder, const char *const *taken, size_t count, size_t closed, char *problem,
                 size_t problemSize);

#endif

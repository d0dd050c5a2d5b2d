/** As in sysexits.h; 1 is the answer "no" of a command that checks something. */
export const EXIT_USAGE = 64;
export const EXIT_UNAVAILABLE = 69;
export const EXIT_INTERNAL_ERROR = 70;

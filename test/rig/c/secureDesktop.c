// A gdi32 for ffmpeg.exe in which BitBlt is refused while the file that SECURE_DESKTOP names exists, as Windows refuses it
// while its secure desktop is in front. Everything else is gdi32's own (secureDesktop.def).
#include <windows.h>

BOOL WINAPI GuardedBitBlt(HDC to, int x, int y, int width, int height, HDC from, int fromX, int fromY, DWORD rop) {
    char flag[MAX_PATH];
    DWORD length = GetEnvironmentVariableA("SECURE_DESKTOP", flag, sizeof flag);
    if (length > 0 && length < sizeof flag && GetFileAttributesA(flag) != INVALID_FILE_ATTRIBUTES) {
        SetLastError(ERROR_ACCESS_DENIED);
        return FALSE;
    }
    return BitBlt(to, x, y, width, height, from, fromX, fromY, rop);
}

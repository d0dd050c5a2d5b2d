// A white layered window without a frame, as tooltips, shadows and many chat programs use: `layeredWindow x y width height`.
// Prints "shown" when it is on the screen, and ends with its stdin.
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>

static DWORD WINAPI waitForEnd(void *window) {
    while (getchar() != EOF) {}
    PostMessageA(window, WM_CLOSE, 0, 0);
    return 0;
}

static LRESULT CALLBACK handle(HWND window, UINT message, WPARAM word, LPARAM number) {
    if (message == WM_CLOSE) PostQuitMessage(0);
    return DefWindowProcA(window, message, word, number);
}

int main(int count, char **words) {
    if (count != 5) return 64;
    WNDCLASSA class = {.lpfnWndProc = handle, .lpszClassName = "layered", .hbrBackground = GetStockObject(WHITE_BRUSH)};
    RegisterClassA(&class);
    HWND window = CreateWindowExA(WS_EX_LAYERED | WS_EX_TOPMOST | WS_EX_TOOLWINDOW | WS_EX_NOACTIVATE, "layered", "", WS_POPUP,
                                  atoi(words[1]), atoi(words[2]), atoi(words[3]), atoi(words[4]), NULL, NULL, NULL, NULL);
    if (window == NULL || !SetLayeredWindowAttributes(window, 0, 255, LWA_ALPHA)) return 1;
    if (!(GetWindowLongA(window, GWL_EXSTYLE) & WS_EX_LAYERED)) return 2;
    ShowWindow(window, SW_SHOWNOACTIVATE);
    UpdateWindow(window);
    puts("shown");
    fflush(stdout);
    CreateThread(NULL, 0, waitForEnd, window, 0, NULL);
    for (MSG message; GetMessageA(&message, NULL, 0, 0) > 0;) DispatchMessageA(&message);
    return 0;
}

// The programs (or files) that the set-up looks for, by what needs them, and the Debian packages that carry them.

const wine = ['wine64', 'wine', '/usr/lib/wine/wine64'];
/** The purposes that run the program on a virtual screen and read the recording back. */
const trials = [
  'demo',
  'demo-ccp',
  'demo-cloud',
  'test',
  'windows',
  'bench',
  'desk',
  'peers',
  'soak',
  'installer',
];
/** The benchmarks with a browser on the desk. */
const desks = ['desk', 'peers'];
const linux = ['linux'];

export const programs = [
  { names: ['Xvfb'], package: 'xvfb', for: trials, system: linux },
  { names: ['ffmpeg'], package: 'ffmpeg', for: trials, why: 'reads finished recordings back' },
  { names: ['fc-list'], package: 'fontconfig', for: trials, system: linux },
  {
    names: ['chromium', 'chromium-browser', 'google-chrome'],
    package: 'chromium',
    for: ['test', 'demo-ccp', 'demo-cloud', ...desks],
  },
  // Several monitors that come and go: Xorg with its dummy driver, arranged by xrandr.
  { names: ['Xorg'], package: 'xserver-xorg-core', for: ['test', 'soak', ...desks], system: linux },
  {
    names: ['/usr/lib/xorg/modules/drivers/dummy_drv.so'],
    package: 'xserver-xorg-video-dummy',
    for: ['test', 'soak', ...desks],
    system: linux,
  },
  { names: ['xrandr'], package: 'x11-xserver-utils', for: ['test', 'soak', ...desks], system: linux },
  // How legible recorded text is.
  { names: ['tesseract'], package: 'tesseract-ocr', for: desks, system: linux },
  { names: ['obs'], package: 'obs-studio', for: ['peers'], system: linux },
  { names: ['simplescreenrecorder'], package: 'simplescreenrecorder', for: ['peers'], system: linux },
  // The app in a real Electron, on a desktop with a window manager and a panel that hosts tray icons.
  { names: ['openbox'], package: 'openbox', for: ['test'], system: linux },
  { names: ['trayer'], package: 'trayer', for: ['test'], system: linux },
  { names: ['xdotool'], package: 'xdotool', for: ['test'], system: linux },
  // A Wayland session: both together are 1 MB of downloads and 3 MB on the disk.
  { names: ['cage'], package: 'cage', for: ['test'], system: linux },
  { names: ['Xwayland'], package: 'xwayland', for: ['test'], system: linux },
  { names: ['pip3'], package: 'python3-pip', for: ['test', 'installer', 'demo-cloud'], system: linux },
  {
    names: ['/usr/lib/x86_64-linux-gnu/libgtk-3.so.0', '/usr/lib/aarch64-linux-gnu/libgtk-3.so.0'],
    package: 'libgtk-3-0',
    for: ['test'],
    system: linux,
  },
  // A system bus of the tests' own, with a login manager on it.
  { names: ['dbus-daemon'], package: 'dbus-daemon', for: ['test'], system: linux },
  // The MSI: made by wixl and msibuild, its own small programs by mingw, signed by osslsigncode; installed by Wine.
  { names: ['wixl'], package: 'wixl', for: ['msi', 'installer'], system: linux },
  { names: ['msibuild'], package: 'msitools', for: ['msi', 'installer'], system: linux },
  { names: ['osslsigncode'], package: 'osslsigncode', for: ['msi', 'installer'], system: linux },
  {
    names: ['x86_64-w64-mingw32-gcc'],
    package: 'gcc-mingw-w64-x86-64',
    for: ['msi', 'installer'],
    system: linux,
  },
  // Small programs of the tests' own: another user's, clocks that are set, disks that fail.
  { names: ['cc'], package: 'gcc', for: ['test', 'soak', 'installer'], system: linux },
  {
    names: ['/usr/include/stdio.h'],
    package: 'libc6-dev',
    for: ['test', 'soak', 'installer'],
    system: linux,
  },
  { names: wine, package: 'wine64', for: ['installer'], system: linux },
  // The whole app under Wine: Chromium ends where Windows has no Tahoma.
  { names: ['/usr/share/wine/fonts/tahoma.ttf'], package: 'fonts-wine', for: ['installer'], system: linux },
];

/** A second browser for the page side: 80 MB of downloads. Without it its test is left out and says so. */
export const firefoxPrograms = [{ names: ['firefox-esr', 'firefox'], package: 'firefox-esr' }];

/** A second S3 store for the tests of the sink: without these they are left out and say so. */
export const s3MockPrograms = [
  { names: ['java'], package: 'default-jre-headless' },
  { names: ['mvn'], package: 'maven' },
];

/** The program as a Windows program: without these its tests are left out and say so. */
export const windowsPrograms = [
  { names: wine, package: 'wine64' },
  { names: ['wixl'], package: 'wixl' },
  { names: ['msibuild'], package: 'msitools' },
  { names: ['x86_64-w64-mingw32-gcc'], package: 'gcc-mingw-w64-x86-64' },
];

export const FONT_PACKAGE = 'fonts-dejavu-core';

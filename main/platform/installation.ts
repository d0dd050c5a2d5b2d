// Whether this command line is the one that an administrator installed. The installer's build writes the answer into the
// program (scripts/installer/commandLine.ts), so that nothing at run time changes it. Of the app Electron says so by the
// name of its own program (`app.isPackaged`).

declare const SIGHTLINE_INSTALLED: boolean | undefined;

export const isInstalledCommandLine = typeof SIGHTLINE_INSTALLED !== 'undefined' && SIGHTLINE_INSTALLED;

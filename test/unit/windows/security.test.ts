// Walks the list of what keeps a page from becoming the program: every window, every page, the packaged binary.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CONTENT_SECURITY_POLICY } from '../../../main/windows/pages.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const sources = readdirSync(join(root, 'main'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: read(join('main', name)) }));
const windows = sources.filter(({ text }) => text.includes('new BrowserWindow('));

describe('every window', () => {
  it('is created in one place', () => {
    expect(windows.map(({ name }) => name.replaceAll('\\', '/'))).toEqual(['windows/security.ts']);
    expect(windows[0]?.text.split('new BrowserWindow(')).toHaveLength(2);
    for (const { name, text } of sources)
      expect(text, name).not.toMatch(
        /new (BrowserView|WebContentsView)\(|@electron\/remote|enableRemoteModule/,
      );
  });

  it.each([
    'contextIsolation: true',
    'sandbox: true',
    'nodeIntegration: false',
    'webviewTag: false',
    'devTools: !app.isPackaged',
  ])('says %s', (line) => {
    for (const { name, text } of windows) expect(text, name).toContain(line);
  });

  it('takes its pages from our own scheme, through the session that serves nothing else', () => {
    const callers = sources.filter(({ text }) => text.includes('= openPageWindow('));
    expect(callers).toHaveLength(2);
    for (const { name, text } of callers) expect(text, name).toMatch(/url: (STATUS_PAGE|INDICATOR_PAGE),/);
    for (const { name, text } of sources)
      expect(text, name).not.toMatch(
        /\bloadFile\(|loadURL\((?!url\))|webPreferences: (?!\{\n      contextIsolation: true)/,
      );
    expect(windows[0]?.text).toMatch(/^\s+preload: preloadFile,\n\s+session,$/m);
  });

  it.each([
    'webSecurity: false',
    'allowRunningInsecureContent',
    'nodeIntegrationIn',
    'experimentalFeatures',
    'enableBlinkFeatures',
    'disable-web-security',
    'executeJavaScript',
    'shell.openExternal',
  ])('never has %s', (text) => {
    for (const source of sources) expect(source.text, source.name).not.toContain(text);
  });

  it('may not navigate, open another, hold a webview or have a permission', () => {
    const text = read('main/windows/security.ts');
    expect(text).toContain("setWindowOpenHandler(() => ({ action: 'deny' }))");
    for (const event of ['will-navigate', 'will-frame-navigate', 'will-redirect', 'will-attach-webview'])
      expect(text).toContain(`contents.on('${event}', (event) => event.preventDefault())`);
    expect(text).toContain(
      'setPermissionRequestHandler((_contents, _permission, callback) => callback(false))',
    );
    expect(text).toContain('setPermissionCheckHandler(() => false)');
    expect(text).toContain('setDevicePermissionHandler(() => false)');
    expect(text).toContain('setSpellCheckerEnabled(false)');
  });

  it('is denied all that before any is made', () => {
    const text = read('main/index.ts');
    expect(text.indexOf('denyByDefault();')).toBeGreaterThan(0);
    expect(text.indexOf('denyByDefault();')).toBeLessThan(text.indexOf('.whenReady()'));
  });
});

describe('every page', () => {
  const pages = readdirSync(join(root, 'renderer')).filter((name) => name.endsWith('.html'));

  it.each(pages)('has no code of its own and nothing from elsewhere: %s', (page) => {
    const text = read(join('renderer', page));
    expect(text).not.toMatch(
      /\son\w+=|\sstyle=|javascript:|https?:\/\/|<(iframe|webview|object|embed|base|form)\b/i,
    );
    expect(text).not.toMatch(/<script(?![^>]*\ssrc="[\w-]+\.js")/);
    expect(text).not.toMatch(/<style/);
  });

  it('is served with a policy that allows our own files and nothing else', () => {
    expect(CONTENT_SECURITY_POLICY).toMatch(/^default-src 'none'/);
    expect(CONTENT_SECURITY_POLICY).not.toMatch(/unsafe|\*|https?:|data:|blob:/);
  });

  it.each(readdirSync(join(root, 'preload')))('has a bridge that names its channels: %s', (file) => {
    const text = read(join('preload', file));
    expect(text).toContain('contextBridge.exposeInMainWorld(');
    // Types only, so that the sandbox can load it; and neither ipcRenderer itself nor its event crosses over.
    expect(text).not.toMatch(/^import (?!type)(?!\{ contextBridge, ipcRenderer \} from 'electron')/m);
    expect(text).not.toMatch(/ipcRenderer\.(send|sendSync|postMessage)|exposeInMainWorld\([^)]*ipcRenderer/);
  });
});

describe('the packaged program', () => {
  const config = read('electron-builder.yml');

  it.each([
    'runAsNode: false',
    'enableNodeOptionsEnvironmentVariable: false',
    'enableNodeCliInspectArguments: false',
    'onlyLoadAppFromAsar: true',
    'enableEmbeddedAsarIntegrityValidation: true',
    'grantFileProtocolExtraPrivileges: false',
  ])('has its fuse set: %s', (fuse) => {
    const fuses = /^electronFuses:\n((?: {2}.*\n)+)/m.exec(config)?.[1] ?? '';
    expect(fuses.split('\n').map((line) => line.trim())).toContain(fuse);
  });

  it('is one archive, and updates nothing by itself', () => {
    expect(config).toMatch(/^asar: true$/m);
    expect(config).toMatch(/^publish: null$/m);
    for (const { name, text } of sources) expect(text, name).not.toMatch(/autoUpdater|electron-updater/);
  });
});

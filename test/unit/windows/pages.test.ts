// What a window may load (main/windows/pages.ts).
import { describe, expect, it } from 'vitest';
import { CONTENT_SECURITY_POLICY, mayBeRequested, pageFile } from '../../../main/windows/pages.ts';

describe('a page of ours', () => {
  it('is a file of the one folder, with its type', () => {
    expect(pageFile('sightline://app/index.html')).toEqual({
      name: 'index.html',
      contentType: 'text/html; charset=utf-8',
    });
    expect(pageFile('sightline://app/index.js')?.contentType).toBe('text/javascript; charset=utf-8');
    expect(pageFile('sightline://app/style.css')?.contentType).toBe('text/css; charset=utf-8');
  });

  it.each([
    ['the folder above', 'sightline://app/../package.json'],
    ['the folder above, encoded', 'sightline://app/%2e%2e/package.json'],
    ['the folder above, with a backslash', 'sightline://app/..\\index.html'],
    ['an encoded slash', 'sightline://app/..%2findex.html'],
    ['an absolute path', 'sightline://app//etc/passwd.html'],
    ['a drive', 'sightline://app/c:index.html'],
    ['a hidden file', 'sightline://app/.html'],
    ['a null byte', 'sightline://app/index.html%00.png'],
    ['a second line', 'sightline://app/index.html\n'],
    ['a type that pages do not need', 'sightline://app/index.map'],
    ['a source map', 'sightline://app/index.js.map'],
    ['no name', 'sightline://app/'],
    ['a query', 'sightline://app/index.html?x=1'],
    ['another host', 'sightline://other/index.html'],
    ['another scheme', 'file://app/index.html'],
    ['a name of Object.prototype as type', 'sightline://app/index.constructor'],
  ])('is not %s', (_what, url) => {
    expect(pageFile(url)).toBeNull();
  });
});

describe("the pages' session", () => {
  it('asks nobody else for anything', () => {
    expect(mayBeRequested('sightline://app/index.html', false)).toBe(true);
    for (const url of ['https://example.com/', 'http://127.0.0.1:5431/', 'file:///etc/passwd', 'data:,x']) {
      expect(mayBeRequested(url, true)).toBe(false);
    }
  });

  it('has the developer tools only where they are wanted', () => {
    expect(mayBeRequested('devtools://devtools/bundled/x.html', true)).toBe(true);
    expect(mayBeRequested('devtools://devtools/bundled/x.html', false)).toBe(false);
  });

  it('allows no inline code and nothing from elsewhere', () => {
    expect(CONTENT_SECURITY_POLICY).toContain("default-src 'none'");
    expect(CONTENT_SECURITY_POLICY).not.toMatch(/unsafe|\*|https?:|data:|blob:/);
  });
});

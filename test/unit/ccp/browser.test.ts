import { expect, it } from 'vitest';
import { browserName } from '../../../ccp/src/client/browser.ts';

const brands = (...names: string[]) => ({
  userAgent: 'Mozilla/5.0',
  userAgentData: { brands: names.map((brand) => ({ brand, version: '156' })) },
});

it.each([
  [brands('Not;A=Brand', 'Chromium', 'Google Chrome'), 'Google Chrome 156'],
  [brands('Microsoft Edge', 'Chromium', 'Not)A;Brand'), 'Microsoft Edge 156'],
  [brands('Chromium', 'Not A.Brand'), 'Chromium 156'],
  [{ userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0' }, 'Firefox 153'],
  [{ userAgent: 'Mozilla/5.0 Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0' }, 'Edg 130'],
  [{ userAgent: `Odd/${'9'.repeat(500)}` }, `Odd/${'9'.repeat(116)}`],
])('names a browser shortly: %o', (browser, name) => {
  expect(browserName(browser)).toBe(name);
});

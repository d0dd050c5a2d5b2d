// The browser's name and version as `hello` states them, e.g. "Chrome 156", short enough for events and manifests.

/** Not in TypeScript's library: https://wicg.github.io/ua-client-hints/ */
interface Brands {
  readonly userAgentData?: {
    readonly brands: readonly { readonly brand: string; readonly version: string }[];
  };
}

/** Brands that several browsers share, least telling last; browsers also make up one, e.g. "Not;A=Brand". */
const GENERIC = ['Chromium'];
/** Edge and Opera name Chrome as well. */
const NAMES = /(?:Firefox|Edg|OPR)\/\d+|Chrome\/\d+(?!.*(?:Edg|OPR)\/)/;
const MAX_CHARACTERS = 120;

export function browserName(browser: Pick<Navigator, 'userAgent'> & Brands = navigator): string {
  const brands =
    browser.userAgentData?.brands.filter(({ brand }) => !/Not.{1,3}A.{1,3}Brand/i.test(brand)) ?? [];
  const best = brands.find(({ brand }) => !GENERIC.includes(brand)) ?? brands[0];
  const name =
    best === undefined
      ? (NAMES.exec(browser.userAgent)?.[0].replace('/', ' ') ?? browser.userAgent)
      : `${best.brand} ${best.version}`;
  return name.slice(0, MAX_CHARACTERS);
}

// What may not leave the machine is taken out of text and of values here. Pure. This is the second of two nets: shapes of
// ours go through an allowlist first (supportShapes.ts). In doubt more is taken out, never less.

import { createHash } from 'node:crypto';
import { isIP } from 'node:net';

export interface Redaction {
  /** The user's home folder; shown as `~`. */
  readonly home: string | null;
  /** Shown as a hash, the same in every bundle of the machine. */
  readonly hostName: string | null;
  /** What is known to be secret, wherever it stands. Texts under six characters are not looked for. */
  readonly secrets: readonly string[];
}

/** Without a space, so that a text that is redacted twice stays as it is. */
export const LEFT_OUT = '[left-out]';
const SHORTEST_SECRET = 6;

/** Words that make a key's or a variable's value a secret. Not `key`: objects in S3 have keys. */
const SECRET_WORDS =
  'token|secret|passw(?:or)?d|passphrase|pwd|credential|authori[sz]ation|cookie|api[-_.]?key|access[-_.]?key|' +
  'private[-_.]?key|account[-_.]?key|signature';
const SECRET_KEY = new RegExp(SECRET_WORDS, 'i');
/** Keys whose values are customer data or a whole environment. */
const PRIVATE_KEY = /^(attributes?|contactAttributes|queues?|queueName|env|environment)$/i;

/** Whether a key's value has to be taken out in any case. */
export function looksSecret(key: string): boolean {
  return SECRET_KEY.test(key);
}

/** The values of variables that look like secrets, and the passwords in those that are URLs. */
export function secretsIn(environment: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(environment).flatMap(([name, value]) => {
    if (value === undefined || /^(OLD)?PWD$/.test(name)) return []; // a shell's folder, not a password
    return [...(looksSecret(name) ? [value] : []), ...urlSecrets(value)];
  });
}

/** Password and user name of an URL, as they stand and decoded. */
export function urlSecrets(text: string): string[] {
  return [...text.matchAll(URLS)].flatMap(([url]) => {
    const authority = /^[^:]+:\/\/(.*)@/s.exec(url)?.[1];
    if (authority === undefined) return [];
    const colon = authority.indexOf(':');
    const parts = colon === -1 ? [authority] : [authority.slice(0, colon), authority.slice(colon + 1)];
    return parts.flatMap((part) => [part, converted(part, decodeURIComponent)]);
  });
}

/** Text that cannot be converted stays: a stray `%`, half a surrogate pair. */
function converted(text: string, convert: (text: string) => string): string {
  try {
    return convert(text);
  } catch {
    return text;
  }
}

/** A host's name as the bundle shows it. */
export function hashedHost(name: string): string {
  return `host-${createHash('sha256').update(name.toLowerCase()).digest('hex').slice(0, 10)}`;
}

/** From the beginning of a word: patterns that may begin anywhere in it take time that grows with its square. */
const URLS = /(?<![a-z0-9+.-])[a-z0-9+.-]+:\/\/[^\s"'<>`\\]*/gi;
const HOST = /^(?:\[[0-9a-f:.%]+\]|[\w.-]*)(?::\d{1,5})?$/i;

/** Scheme, host and path: no user info, no query, no fragment. What is no proper URL is taken out whole. */
export function redactUrl(url: string): string {
  const match = /^([a-z0-9+.-]+):\/\/([^/?#]*)([^?#]*)(\??)/i.exec(url);
  if (match === null) return LEFT_OUT;
  const [, scheme = '', authority = '', path = '', query = ''] = match;
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  // An unencoded slash in a password makes the rest of it look like a path.
  const isFilePath = scheme === 'file' || scheme === 's3';
  if (!HOST.test(host) || (!isFilePath && url.slice(scheme.length + 3 + authority.length).includes('@')))
    return `${scheme}://${LEFT_OUT}`;
  return `${scheme}://${host}${path}${query === '' ? '' : '?…'}`;
}

type Rule = readonly [pattern: RegExp, replacement: string];

/** Up to the same quotation mark, with as many backslashes before it: JSON within JSON has one more than JSON. */
const QUOTED = String.raw`(?<slashes>\\*)(?<mark>["'])(?:(?!\k<slashes>\k<mark>)(?:\\[\s\S]|[\s\S]))*(?:\k<slashes>\k<mark>)?`;
/** A whole word with a secret one in it; taken at once, since going back into it takes time that grows with its square. */
const nameFrom = (first: string): string =>
  String.raw`(?<![\w.-])(?=${first}[\w.-]*?(?:${SECRET_WORDS}))(?=(?<name>[\w.-]+))\k<name>`;
const RULES: readonly Rule[] = [
  [/-----BEGIN[^-]*-----[\s\S]*?(?:-----END[^-]*-----|$)/g, LEFT_OUT],
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
  [/AWS4-[A-Z0-9-]+[ ,]+Credential=.*/g, LEFT_OUT],
  [/\b(Bearer|Basic|Digest|Negotiate)(\s+)[\w.~+/=:-]+/gi, `$1 ${LEFT_OUT}`],
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html (unique identifiers)
  [/(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{8,}/g, LEFT_OUT],
  // Session tokens of STS, and JSON web tokens.
  [/(?:FwoG|IQoJ|FQoG|FQoD|AQoD)[\w+/=%-]{12,}/g, LEFT_OUT],
  [/eyJ[\w-]{5,}(?:\.[\w-]*){0,4}/g, LEFT_OUT],
  [new RegExp(String.raw`${nameFrom('-')}(?:\s+|=)(?:${QUOTED}|\S+)`, 'gi'), `$<name> ${LEFT_OUT}`],
  [
    new RegExp(String.raw`${nameFrom('')}(?<sign>\\*["']?\s*[:=]\s*)(?:${QUOTED}|[^\n,;&"'}]+)`, 'gi'),
    `$<name>$<sign>${LEFT_OUT}`,
  ],
];
/** A secret access key has 40 characters of base64. A SHA-1 in hexadecimal has no capitals, and a path rarely fits. */
const SECRET_ACCESS_KEY = /(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/g;
const WINDOWS_HOME = /[a-z]:[\\/]+Users[\\/]+[^\\/:*?"<>|\r\n]+/gi;
const POSIX_HOME = /(?<![\w.~-])\/(?:home|Users)\/[^/\s"':,;]+/g;

export function redactText(text: string, redaction: Redaction): string {
  let out = text;
  for (const secret of redaction.secrets.flatMap(formsOf).sort((a, b) => b.length - a.length))
    if (secret.length >= SHORTEST_SECRET) out = out.replaceAll(secret, LEFT_OUT);
  out = out.replaceAll(URLS, (url) => redactUrl(url));
  for (const [pattern, replacement] of RULES) out = out.replaceAll(pattern, replacement);
  out = out.replaceAll(SECRET_ACCESS_KEY, (found) =>
    /[a-z]/.test(found) && /[A-Z]/.test(found) && /\d/.test(found) ? LEFT_OUT : found,
  );
  return withoutHost(withoutAddresses(withoutHome(out, redaction.home)), redaction.hostName);
}

/** As it is, within JSON, within an URL. */
function formsOf(secret: string): string[] {
  return [...new Set([secret, JSON.stringify(secret).slice(1, -1), converted(secret, encodeURIComponent)])];
}

/** Not in `Chrome/126.0.0.0`: the versions of browsers look like addresses. */
const IPV4 = /(?<![\w.-])(?<![A-Za-z]\/)\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\w)/g;
const IPV6 =
  /(?<![\w:.])(\[?)([0-9a-f:]*:\d{1,3}(?:\.\d{1,3}){3}|(?=[0-9a-f]*:)[0-9a-f:]+)(?:%[\w.-]+)?(\]?)(?!\w)/gi;
/** This machine, and what DNS filters answer. */
const HERE = /^(?:(?:127|0)\.|::1?$)/;
/** RFC 1918, 3927, 6598; 4193, 4291 (2.5.6) */
const PRIVATE =
  /^(?:10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/i;

/**
 * Of an address what support needs: whether it is within the company or outside. This
 * machine's own and those that DNS filters answer stay.
 */
function withoutAddresses(text: string): string {
  const kind = (address: string, whole: string): string => {
    if (isIP(address) === 0) return whole;
    const plain = address.replace(/^::ffff:(?=.*\.)/i, '');
    if (HERE.test(plain)) return whole;
    return PRIVATE.test(plain) ? 'private-address' : 'public-address';
  };
  return text
    .replaceAll(IPV6, (whole: string, _open, address: string) => kind(address, whole))
    .replaceAll(IPV4, (address) => kind(address, address));
}

function withoutHome(text: string, home: string | null): string {
  let out = text;
  if (home !== null && home.length > 1) {
    const ends = String.raw`(?![\w-])`;
    // As JSON within JSON writes it, too.
    const forms = new Set([
      home,
      home.replaceAll('\\', '\\\\'),
      home.replaceAll('\\', '/'),
      converted(home, encodeURI),
    ]);
    for (const form of forms) out = out.replaceAll(new RegExp(escaped(form) + ends, 'gi'), '~');
  }
  return out.replaceAll(WINDOWS_HOME, '~').replaceAll(POSIX_HOME, '~');
}

function withoutHost(text: string, hostName: string | null): string {
  if (hostName === null) return text;
  const [label = ''] = hostName.split('.', 1);
  return [hostName, label]
    .filter((name) => name.length > 2 && name.toLowerCase() !== 'localhost')
    .reduce(
      (out, name) =>
        out.replaceAll(
          new RegExp(String.raw`(?<![\w-])${escaped(name)}(?![\w-])`, 'gi'),
          hashedHost(hostName),
        ),
      text,
    );
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}

/** As redactText, for every text in a value, keys included; values of keys that look like secrets go in any case. */
export function redactValue(value: unknown, redaction: Redaction): unknown {
  if (typeof value === 'string') return redactText(value, redaction);
  if (Array.isArray(value)) return value.map((one) => redactValue(one, redaction));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      redactText(key, redaction),
      looksSecret(key) || PRIVATE_KEY.test(key) ? LEFT_OUT : redactValue(one, redaction),
    ]),
  );
}

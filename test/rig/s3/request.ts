// A request to the S3 stand-in once it is understood: which operation on what, and which headers it may carry.
import type { IncomingMessage } from 'node:http';
import { invalidArgument, mistake } from './errors.ts';
import type { Operation } from './faults.ts';
import type { KmsContext } from './settings.ts';
import type { Bucket, Store } from './store.ts';
import type { HeaderValues } from '../s3Signature.ts';

export interface Target {
  operation: Operation;
  bucket: string;
  /** Empty for operations on a bucket. */
  key: string;
  query: ReadonlyMap<string, string>;
}

export interface ObjectRequest extends Target {
  headers: HeaderValues;
  bytes: Buffer;
  /** Claimed by the client and found right; null: none was claimed. */
  checksum: string | null;
  /** With If-None-Match: to be called before the object is made. */
  checkCondition(): void;
}

export interface Answer {
  status: number;
  headers?: HeaderValues;
  body?: string | Buffer;
}

export interface ServerContext extends KmsContext {
  store: Store;
  minPartBytes: number;
  listPartsPage: number;
}

export type Handler = (context: ServerContext, bucket: Bucket, request: ObjectRequest) => Answer;

/** Query parameters of each operation; the first ones must be there. */
const ROUTES: { method: string; level: 'bucket' | 'object'; must: string[]; may: string[]; is: Operation }[] =
  [
    {
      method: 'GET',
      level: 'bucket',
      must: ['uploads'],
      may: ['prefix'],
      is: 'ListMultipartUploads',
    },
    { method: 'POST', level: 'object', must: ['uploads'], may: [], is: 'CreateMultipartUpload' },
    { method: 'PUT', level: 'object', must: ['uploadId', 'partNumber'], may: [], is: 'UploadPart' },
    { method: 'POST', level: 'object', must: ['uploadId'], may: [], is: 'CompleteMultipartUpload' },
    { method: 'DELETE', level: 'object', must: ['uploadId'], may: [], is: 'AbortMultipartUpload' },
    {
      method: 'GET',
      level: 'object',
      must: ['uploadId'],
      may: ['part-number-marker'],
      is: 'ListParts',
    },
    { method: 'PUT', level: 'object', must: [], may: [], is: 'PutObject' },
    { method: 'HEAD', level: 'object', must: [], may: [], is: 'HeadObject' },
    { method: 'GET', level: 'object', must: [], may: [], is: 'GetObject' },
    {
      method: 'GET',
      level: 'bucket',
      must: ['list-type'],
      may: ['prefix', 'max-keys', 'encoding-type', 'continuation-token', 'start-after'],
      is: 'ListObjectsV2',
    },
    { method: 'DELETE', level: 'object', must: [], may: [], is: 'DeleteObject' },
  ];

/** Query parameters in which the SDK names the operation; S3 ignores them. */
const IGNORED = ['x-id'];

/** @throws {S3Error} 501, as S3 answers, for a request that Sightline should never send; it is also reported as a problem */
export function routeRequest(method: string, url: string): Target {
  const { path, query } = splitUrl(url);
  const [, bucket = '', ...segments] = path.split('/');
  const key = segments.join('/');
  const level = key === '' ? 'bucket' : 'object';
  const names = [...query.keys()].filter((name) => !IGNORED.includes(name));
  const route = ROUTES.find(
    (candidate) =>
      candidate.method === method &&
      candidate.level === level &&
      candidate.must.every((name) => names.includes(name)) &&
      names.every((name) => candidate.must.includes(name) || candidate.may.includes(name)),
  );
  if (route === undefined || bucket === '') {
    throw mistake(
      501,
      'NotImplemented',
      `The stand-in knows no ${method} of ${level} with [${names.join(', ')}].`,
    );
  }
  if (Buffer.byteLength(key) > 1024) {
    throw mistake(400, 'KeyTooLongError', 'Your key is too long', { MaxSizeAllowed: '1024' });
  }
  const asked = query.get('x-id');
  if (asked !== undefined && asked !== route.is) {
    throw mistake(501, 'NotImplemented', `The request says ${asked} and is ${route.is}.`);
  }
  return { operation: route.is, bucket, key, query };
}

function splitUrl(url: string): { path: string; query: Map<string, string> } {
  const at = url.indexOf('?');
  const query = new Map<string, string>();
  try {
    for (const pair of at === -1 ? [] : url.slice(at + 1).split('&')) {
      const [name = '', ...value] = pair.split('=');
      if (name !== '') query.set(decodeURIComponent(name), decodeURIComponent(value.join('=')));
    }
    return { path: decodeURIComponent(at === -1 ? url : url.slice(0, at)), query };
  } catch {
    throw mistake(400, 'InvalidURI', "Couldn't parse the specified URI.", { URI: url });
  }
}

/** A whole number of the query. */
export function queryNumber(
  request: Target,
  name: string,
  range: { from: number; to: number; otherwise: number },
): number {
  const text = request.query.get(name);
  if (text === undefined) return range.otherwise;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < range.from || value > range.to) {
    throw invalidArgument(
      `${name} must be an integer between ${range.from} and ${range.to}, inclusive`,
      name,
      text,
    );
  }
  return value;
}

export function headersOf(request: IncomingMessage): HeaderValues {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(',') : (value ?? ''),
    ]),
  );
}

const EVERYWHERE = ['x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token', 'x-amz-user-agent'];
const BODY = /^x-amz-(sdk-checksum-algorithm|checksum-(crc|sha).+)$/;
const SETTINGS = /^x-amz-(tagging|storage-class|meta-.+|server-side-encryption.*)$/;
const MORE: Record<Operation, readonly RegExp[]> = {
  PutObject: [BODY, SETTINGS],
  CreateMultipartUpload: [SETTINGS, /^x-amz-checksum-(algorithm|type)$/],
  UploadPart: [BODY],
  CompleteMultipartUpload: [/^x-amz-mp-object-size$/],
  AbortMultipartUpload: [],
  ListParts: [],
  ListMultipartUploads: [],
  HeadObject: [/^x-amz-checksum-mode$/],
  GetObject: [/^x-amz-checksum-mode$/],
  ListObjectsV2: [],
  DeleteObject: [],
};

/** Headers that mean nothing to the operation: S3 passes over most of them, so whoever sent them is mistaken. */
export function unexpectedHeaders(operation: Operation, headers: HeaderValues): string[] {
  return Object.keys(headers).filter(
    (name) =>
      (name.startsWith('x-amz-') &&
        !EVERYWHERE.includes(name) &&
        !MORE[operation].some((pattern) => pattern.test(name))) ||
      (operation !== 'GetObject' && ['range', 'if-match'].includes(name)) ||
      ['if-modified-since', 'if-unmodified-since'].includes(name),
  );
}

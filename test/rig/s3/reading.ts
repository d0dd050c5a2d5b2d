// Operations of the S3 stand-in that read what was uploaded: ranges of an object, and the list of names, in pages.
import { invalidArgument, refusal } from './errors.ts';
import { headObject } from './objects.ts';
import { queryNumber, type Handler } from './request.ts';
import { xmlDocument, type XmlNode } from './xml.ts';

const PAGE = 1000;

export const getObject: Handler = (context, bucket, request) => {
  const { headers = {} } = headObject(context, bucket, request);
  const { bytes } = bucket.objects.get(request.key)!;
  const condition = request.headers['if-match'];
  if (condition !== undefined && condition !== '*' && condition !== headers['etag'])
    throw refusal(
      412,
      'PreconditionFailed',
      'At least one of the pre-conditions you specified did not hold',
      {
        Condition: 'If-Match',
      },
    );
  const range = request.headers['range'];
  if (range === undefined) return { status: 200, headers, body: bytes };
  const [, from = '', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
  if (from === '') return { status: 200, headers, body: bytes }; // as S3: what it does not understand is no range
  const start = Number(from);
  const end = Math.min(to === '' ? Infinity : Number(to), bytes.length - 1);
  if (start > end)
    throw refusal(416, 'InvalidRange', 'The requested range is not satisfiable', {
      ActualObjectSize: String(bytes.length),
    });
  const part = bytes.subarray(start, end + 1);
  return {
    status: 206,
    headers: {
      ...headers,
      'content-length': String(part.length),
      'content-range': `bytes ${start}-${end}/${bytes.length}`,
    },
    body: part,
  };
};

export const listObjects: Handler = (_context, bucket, request) => {
  const { query } = request;
  const encoding = query.get('encoding-type');
  if (encoding !== undefined && encoding !== 'url')
    throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', encoding);
  const size = Math.min(
    PAGE,
    queryNumber(request, 'max-keys', { from: 0, to: 2 ** 31 - 1, otherwise: PAGE }),
  );
  const prefix = query.get('prefix') ?? '';
  const token = query.get('continuation-token');
  const after =
    token === undefined ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
  const keys = [...bucket.objects.keys()].filter((key) => key.startsWith(prefix) && byBytes(key, after) > 0);
  keys.sort(byBytes);
  const page = keys.slice(0, size);
  const isTruncated = keys.length > page.length;
  // As S3 has it: a space is "+".
  const shown = (key: string): string =>
    encoding === undefined ? key : encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/');
  const contents = page.map((key): XmlNode => {
    const { etag, bytes } = bucket.objects.get(key)!;
    return [
      'Contents',
      [
        ['Key', shown(key)],
        ['LastModified', '2026-03-02T09:15:00.000Z'],
        ['ETag', etag],
        ['Size', bytes.length],
        ['StorageClass', 'STANDARD'],
      ],
    ];
  });
  const next = Buffer.from(page.at(-1) ?? '').toString('base64url');
  return {
    status: 200,
    body: xmlDocument('ListBucketResult', [
      ['Name', bucket.name],
      ['Prefix', shown(prefix)],
      ['KeyCount', page.length],
      ['MaxKeys', size],
      ...(encoding === undefined ? [] : ([['EncodingType', encoding]] as const)),
      ['IsTruncated', isTruncated],
      ...(isTruncated ? ([['NextContinuationToken', next]] as const) : []),
      ...contents,
    ]),
  };
};

/** S3 sorts by UTF-8. */
function byBytes(one: string, other: string): number {
  return /^[\x20-\x7e]*$/.test(one + other)
    ? one < other
      ? -1
      : one > other
        ? 1
        : 0
    : Buffer.compare(Buffer.from(one), Buffer.from(other));
}

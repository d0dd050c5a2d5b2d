// What an error of PutEvents means for the events that wait: whether waiting helps, whether something has to be fixed, or
// whether EventBridge rejects the events themselves. Pure; codes of AWS's CommonErrors and PutEventsResultEntry pages.

import { quoted, quotedCode } from '../platform/limits.ts';
import { NetworkError } from '../platform/network/network.ts';

export type ProblemKind =
  /** May pass without a fix. */
  | 'passing'
  /** The events are sent once something has been fixed. */
  | 'permanent'
  /** EventBridge will never take this request's content. */
  | 'refused';

export interface AwsProblem {
  readonly kind: ProblemKind;
  readonly code: string;
  /** What happened and what to do. */
  readonly message: string;
  /** The credentials have to be read again. */
  readonly credentials: boolean;
}

const BUS = 'Check "eventBusName", "awsRegion" and "eventBridgeEndpoint".';
const RIGHT = 'Give these credentials the right events:PutEvents on the bus';
const LOGIN = 'Give Sightline valid AWS credentials ("awsProfile", or where the AWS SDK looks for them)';

const remedies: Readonly<Record<ProblemKind, Readonly<Record<string, string>>>> = {
  permanent: {
    'AccessDeniedException AccessDenied': `AWS refuses access. ${RIGHT}. ${BUS}`,
    NotAuthorizedForSourceException: `The bus does not take the source "sightline". ${RIGHT}.`,
    NotAuthorizedForDetailTypeException: `The bus does not take this detail-type. ${RIGHT}.`,
    InvalidAccountIdException: `The account in the bus's ARN is not valid. ${BUS}`,
    RedactionFailure: "AWS cannot use the bus's KMS key. Check the key's policy.",
    ResourceNotFoundException: `There is no such bus. ${BUS}`,
    UnknownOperationException: `The server is not EventBridge. ${BUS}`,
    OptInRequired: `The account does not use this region. ${BUS}`,
    'UnrecognizedClientException InvalidClientTokenId': `AWS does not know the access key. ${LOGIN}.`,
    'MissingAuthenticationToken MissingAuthenticationTokenException': `The request carried no credentials. ${LOGIN}.`,
    IncompleteSignature: `AWS cannot read the signature. ${LOGIN}.`,
    InvalidSignatureException: `The signature does not fit: wrong secret key, wrong region or a wrong clock. ${LOGIN}. ${BUS}`,
    SignatureDoesNotMatch: `The signature does not fit the secret key or the region. ${LOGIN}.`,
    'CredentialsProviderError TokenProviderError': `There are no AWS credentials. ${LOGIN}.`,
  },
  passing: {
    'ExpiredTokenException ExpiredToken': `The AWS credentials have expired. ${LOGIN} if nothing renews them.`,
    RequestExpired: "The request came too late. Check this computer's clock.",
    RequestTimeTooSkewed: "This computer's clock is wrong. Set it.",
    'ThrottlingException TooManyRequestsException': 'AWS asks to slow down; nothing needs to be done.',
    'InternalFailure InternalException': 'EventBridge has an internal error; nothing needs to be done.',
  },
  refused: {
    'ValidationException SerializationException': 'EventBridge does not accept the content.',
    RequestEntityTooLarge: 'EventBridge finds the request too large.',
    InvalidArgument: 'EventBridge does not accept a field.',
    MalformedDetail: 'EventBridge does not accept the detail as JSON.',
  },
};
const remedyOf = new Map(
  (['permanent', 'passing', 'refused'] as const).flatMap((kind) =>
    Object.entries(remedies[kind]).flatMap(([codes, remedy]) =>
      codes.split(' ').map((code) => [code, { kind, remedy }] as const),
    ),
  ),
);

const LOGIN_CODES =
  /^(Expired|UnrecognizedClient|InvalidClientToken|InvalidSignature|CredentialsProvider|Token)/;

/** An error that the SDK threw: its own, one of AWS's, or the network's. */
export function problemOf(error: unknown): AwsProblem {
  if (error instanceof NetworkError)
    return make(
      error.code === 'PROXY_UNREACHABLE' ? 'passing' : 'permanent',
      error.code,
      `EventBridge cannot be reached: ${error.message}.`,
    );
  const { name, code, status, message } = partsOf(error);
  if (name === 'InvalidSignatureException' && /expired|not yet current/i.test(message))
    return problem('RequestTimeTooSkewed', message);
  if (remedyOf.has(name)) return problem(name, message);
  if (message === 'Region is missing') {
    return make('permanent', 'RegionMissing', 'No AWS region is known. Set "awsRegion".');
  }
  if (status === 413) return make('refused', name, `EventBridge finds the request too large. (${message})`);
  if (status !== undefined && status >= 400 && status < 500 && ![408, 425, 429].includes(status))
    return make('permanent', name, `AWS refuses the request. ${BUS} (${message})`);
  if (status !== undefined) return make('passing', name, `AWS could not answer (${status}: ${message}).`);
  const what = `EventBridge cannot be reached. Check the network, "awsRegion" and "eventBridgeEndpoint"`;
  return make('passing', code ?? name, `${what}. (${message})`);
}

/** The code of one entry in an answer that took others. Unknown codes are retried. */
export function problemOfEntry(code: string, message = ''): AwsProblem {
  return problem(quotedCode(code), quoted(message));
}

function problem(code: string, detail: string): AwsProblem {
  const unknown = { kind: 'passing', remedy: 'EventBridge did not take it; Sightline retries.' } as const;
  const { kind, remedy } = remedyOf.get(code) ?? unknown;
  return make(kind, code, detail === '' ? remedy : `${remedy} (${detail})`);
}

function make(kind: ProblemKind, code: string, message: string): AwsProblem {
  return { kind, code, message, credentials: LOGIN_CODES.test(code) };
}

function partsOf(error: unknown): { name: string; code?: string; status?: number; message: string } {
  if (!(error instanceof Error)) return { name: 'Unknown', message: quoted(String(error)) };
  const [name, message] = [quotedCode(error.name), quoted(error.message)];
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { name, message, ...code, ...statusOf(error) };
}

function statusOf(error: object): { status?: number } {
  if (!('$metadata' in error)) return {};
  const { httpStatusCode } = error.$metadata as { httpStatusCode?: number };
  return httpStatusCode === undefined ? {} : { status: httpStatusCode };
}

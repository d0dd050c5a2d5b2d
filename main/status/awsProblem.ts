// What an error of PutEvents means for what waits: whether waiting helps, whether somebody has to mend something, or
// whether it is the events themselves. Pure; the codes are those of AWS's CommonErrors and PutEventsResultEntry pages.

import { quoted, quotedCode } from '../platform/limits.ts';

export type ProblemKind =
  /** May pass by itself. */
  | 'passing'
  /** Somebody has to change something; then the events go out. */
  | 'permanent'
  /** EventBridge will never take this request's content. */
  | 'refused';

export interface AwsProblem {
  readonly kind: ProblemKind;
  readonly code: string;
  /** What happened and what to do. */
  readonly message: string;
  /** Credentials are to be looked for again. */
  readonly credentials: boolean;
}

const BUS = 'Check "eventBusName", "awsRegion" and "eventBridgeEndpoint".';
const RIGHT = 'Give these credentials the right events:PutEvents on the bus';
const LOGIN = 'Give Sightline valid AWS credentials ("awsProfile", or where the AWS SDK looks for them)';

const remedies: Readonly<Record<string, readonly [ProblemKind, string]>> = {
  AccessDeniedException: ['permanent', `AWS refuses access. ${RIGHT}. ${BUS}`],
  AccessDenied: ['permanent', `AWS refuses access. ${RIGHT}. ${BUS}`],
  NotAuthorizedForSourceException: ['permanent', `The bus does not take the source "sightline". ${RIGHT}.`],
  NotAuthorizedForDetailTypeException: ['permanent', `The bus does not take this detail-type. ${RIGHT}.`],
  InvalidAccountIdException: ['permanent', `The account in the bus's ARN is not valid. ${BUS}`],
  RedactionFailure: ['permanent', "AWS cannot use the bus's KMS key. Check the key's policy."],
  ResourceNotFoundException: ['permanent', `There is no such bus. ${BUS}`],
  UnknownOperationException: ['permanent', `What answers is not EventBridge. ${BUS}`],
  OptInRequired: ['permanent', `The account does not use this region. ${BUS}`],
  UnrecognizedClientException: ['permanent', `AWS does not know the access key. ${LOGIN}.`],
  InvalidClientTokenId: ['permanent', `AWS does not know the access key. ${LOGIN}.`],
  MissingAuthenticationToken: ['permanent', `The request carried no credentials. ${LOGIN}.`],
  MissingAuthenticationTokenException: ['permanent', `The request carried no credentials. ${LOGIN}.`],
  IncompleteSignature: ['permanent', `AWS cannot read the signature. ${LOGIN}.`],
  InvalidSignatureException: [
    'permanent',
    `The signature does not fit: wrong secret key, wrong region or a wrong clock. ${LOGIN}. ${BUS}`,
  ],
  SignatureDoesNotMatch: ['permanent', `The signature does not fit the secret key or the region. ${LOGIN}.`],
  CredentialsProviderError: ['permanent', `There are no AWS credentials. ${LOGIN}.`],
  TokenProviderError: ['permanent', `There are no AWS credentials. ${LOGIN}.`],
  ExpiredTokenException: ['passing', `The AWS credentials have expired. ${LOGIN} if nothing renews them.`],
  ExpiredToken: ['passing', `The AWS credentials have expired. ${LOGIN} if nothing renews them.`],
  RequestExpired: ['passing', "The request came too late. Check this computer's clock."],
  RequestTimeTooSkewed: ['passing', "This computer's clock is wrong. Set it."],
  ValidationException: ['refused', 'EventBridge does not accept the content.'],
  SerializationException: ['refused', 'EventBridge does not accept the content.'],
  RequestEntityTooLarge: ['refused', 'EventBridge finds the request too large.'],
  InvalidArgument: ['refused', 'EventBridge does not accept a field.'],
  MalformedDetail: ['refused', 'EventBridge does not accept the detail as JSON.'],
  ThrottlingException: ['passing', 'AWS asks to slow down; nothing needs to be done.'],
  TooManyRequestsException: ['passing', 'AWS asks to slow down; nothing needs to be done.'],
  InternalFailure: ['passing', 'EventBridge has a trouble of its own; nothing needs to be done.'],
  InternalException: ['passing', 'EventBridge has a trouble of its own; nothing needs to be done.'],
};

const LOGIN_CODES =
  /^(Expired|UnrecognizedClient|InvalidClientToken|InvalidSignature|CredentialsProvider|Token)/;
const TLS_CODES = /^(CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|ERR_TLS_)/;

/** An error that the SDK threw: its own, one of AWS's, or the network's. */
export function problemOf(error: unknown): AwsProblem {
  const { name, code, status, message } = partsOf(error);
  const known = remedies[name];
  if (name === 'InvalidSignatureException' && /expired|not yet current/i.test(message))
    return problem('RequestTimeTooSkewed', message);
  if (known !== undefined) return problem(name, message);
  if (message === 'Region is missing') {
    return make('permanent', 'RegionMissing', 'No AWS region is known. Set "awsRegion".');
  }
  if (code !== undefined && TLS_CODES.test(code)) {
    const what = 'The certificate of EventBridge is not trusted here. Add your proxy’s certificate authority';
    return make('permanent', code, `${what} (NODE_EXTRA_CA_CERTS). (${message})`);
  }
  if (status === 413) return make('refused', name, `EventBridge finds the request too large. (${message})`);
  if (status !== undefined && status >= 400 && status < 500 && ![408, 425, 429].includes(status))
    return make('permanent', name, `AWS refuses the request. ${BUS} (${message})`);
  if (status !== undefined) return make('passing', name, `AWS could not answer (${status}: ${message}).`);
  const what = `EventBridge cannot be reached. Check the network, "awsRegion" and "eventBridgeEndpoint"`;
  return make('passing', code ?? name, `${what}. (${message})`);
}

/** The code of one entry in an answer that took others. Codes of tomorrow are tried again. */
export function problemOfEntry(code: string, message = ''): AwsProblem {
  return problem(quotedCode(code), quoted(message));
}

function problem(code: string, words: string): AwsProblem {
  const [kind, remedy] = remedies[code] ?? ['passing', 'EventBridge did not take it; it is tried again.'];
  return make(kind, code, words === '' ? remedy : `${remedy} (${words})`);
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

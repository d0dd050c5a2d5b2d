// Errors of the S3 stand-in, with the codes and status codes of the S3 API reference.

export class S3Error extends Error {
  override readonly name = 'S3Error';
  readonly status: number;
  readonly code: string;
  /** More elements of the <Error>. */
  readonly details: Record<string, string>;
  /** Whether a client that does everything right can never see it. */
  readonly clientsMistake: boolean;

  constructor(
    status: number,
    code: string,
    message: string,
    options: { details?: Record<string, string>; clientsMistake: boolean },
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = options.details ?? {};
    this.clientsMistake = options.clientsMistake;
  }
}

/** The request is wrong in itself: it is refused and listed among the server's problems. */
export function mistake(
  status: number,
  code: string,
  message: string,
  details: Record<string, string> = {},
): S3Error {
  return new S3Error(status, code, message, { details, clientsMistake: true });
}

/** The request is well formed, the state of the world is against it: refused, and no problem. */
export function refusal(
  status: number,
  code: string,
  message: string,
  details: Record<string, string> = {},
): S3Error {
  return new S3Error(status, code, message, { details, clientsMistake: false });
}

export function invalidArgument(message: string, name: string, value: string): S3Error {
  return mistake(400, 'InvalidArgument', message, { ArgumentName: name, ArgumentValue: value });
}

export function invalidRequest(message: string): S3Error {
  return mistake(400, 'InvalidRequest', message);
}

export function noSuchUpload(uploadId: string): S3Error {
  return refusal(
    404,
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { UploadId: uploadId },
  );
}

export function noSuchBucket(bucket: string): S3Error {
  return refusal(404, 'NoSuchBucket', 'The specified bucket does not exist', { BucketName: bucket });
}

export function requestTimeTooSkewed(requestMs: number, serverMs: number): S3Error {
  return refusal(
    403,
    'RequestTimeTooSkewed',
    'The difference between the request time and the current time is too large.',
    {
      RequestTime: new Date(requestMs).toISOString(),
      ServerTime: new Date(serverMs).toISOString(),
      MaxAllowedSkewMilliseconds: '900000',
    },
  );
}

export function expiredToken(): S3Error {
  return refusal(400, 'ExpiredToken', 'The provided token has expired.');
}

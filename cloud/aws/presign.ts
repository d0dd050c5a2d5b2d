// Presigned URLs for GetObject, with the credentials of the function's role: a URL ends with these at the latest.

import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

export function presigner(
  client = new S3Client(),
): (bucket: string, key: string, seconds: number) => Promise<string> {
  return (bucket, key, seconds) => {
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, ResponseContentType: 'video/mp4' });
    return getSignedUrl(client, command, { expiresIn: seconds });
  };
}

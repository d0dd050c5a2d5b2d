// A deployment as docs/aws.md makes it first, for the tests of the template.
import type { Parameters } from './template.ts';

export const INSTANCE_ARN =
  'arn:aws:connect:eu-central-1:123456789012:instance/11111111-aaaa-bbbb-cccc-222222222222';
export const EXAMPLE: Parameters = {
  BucketName: 'acme-recordings',
  CodeBucket: 'acme-code',
  CodePrefix: 'sightline-0.1.0/',
  InstanceArn: INSTANCE_ARN,
  InstanceFolder: 'connect/acme/ScreenRecordings',
  TokenIssuer: 'https://login.acme.example',
  TokenAudience: 'sightline',
};

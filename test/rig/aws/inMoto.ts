// What moto's CloudFormation (5.2.5) does not know. docs/aws.md lists it.
export const NOT_IN_MOTO = [
  ...['AWS::S3::BucketPolicy', 'AWS::CloudTrail::Trail', 'AWS::Lambda::Permission'],
  ...['Api', 'Stage', 'Route', 'Integration', 'Deployment'].map((one) => `AWS::ApiGatewayV2::${one}`),
  ...[
    'AWS::Logs::QueryDefinition',
    'AWS::Logs::MetricFilter',
    'AWS::CloudWatch::Alarm',
    'AWS::SNS::TopicPolicy',
    'AWS::SQS::QueuePolicy',
  ],
];

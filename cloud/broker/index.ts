// The Lambda function of broker and authorizer: `handler` for an HTTP API (payload format 2.0) with POST /credentials and
// POST /authorize.

import { openAccess } from '../access.ts';
import { stsRole } from '../aws/assumeRole.ts';
import { logToStdout } from '../http/log.ts';
import { brokerSettings } from '../settings.ts';
import { createBroker } from './broker.ts';

export const handler = createBroker({
  access: openAccess(process.env),
  settings: brokerSettings(process.env),
  assumeRole: stsRole(),
  log: logToStdout,
});

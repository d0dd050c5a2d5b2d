// The Lambda function of GET /recordings/{contactId}, for an HTTP API (payload format 2.0).

import { openAccess } from '../access.ts';
import { presigner } from '../aws/presign.ts';
import { logToStdout as log } from '../http/log.ts';
import { dynamoLocations } from '../location/store.ts';
import { required } from '../settings.ts';
import { createLink } from './link.ts';
import { linkSettings } from './settings.ts';

const { env } = process;
const { settings, verify } = openAccess(env);

export const handler = createLink({
  ...{ access: settings, verify, log, presign: presigner() },
  settings: linkSettings(env, settings),
  store: dynamoLocations(required(env, 'LOCATION_TABLE')),
});

// The Lambda function that a rule of the bus calls for PUBLISHED events of source `sightline`.

import { connectApi } from '../aws/connectApi.ts';
import { logToStdout as log } from '../http/log.ts';
import { instancesIn, required } from '../settings.ts';
import { createLocation } from './location.ts';
import { dynamoLocations } from './store.ts';

const { env } = process;
/** Empty: none is written. */
const attribute = env['CONTACT_ATTRIBUTE'] ?? 'sightlineRecording';

export const handler = createLocation({
  instances: instancesIn(env),
  store: dynamoLocations(required(env, 'LOCATION_TABLE')),
  connectIn: attribute === '' ? null : (region) => connectApi(region, env),
  attribute,
  log,
});

// All handlers in one process on the loopback, configured by the same environment variables as the Lambda functions: for tests, demos, and
// sites without AWS (behind a proxy with TLS). What AWS must do (STS, S3, Connect) is asked at
// AWS_ENDPOINT_URL_STS, _S3 and _CONNECT; moto can be the first two.

import { S3Client } from '@aws-sdk/client-s3';
import { openAccess } from '../access.ts';
import { stsRole } from '../aws/assumeRole.ts';
import { connectApi } from '../aws/connectApi.ts';
import { presigner } from '../aws/presign.ts';
import { createBroker } from '../broker/broker.ts';
import { logToStdout, type Log } from '../http/log.ts';
import { createLink } from '../link/link.ts';
import { linkSettings } from '../link/settings.ts';
import { createLocation } from '../location/location.ts';
import { memoryLocations } from '../location/store.ts';
import { callerVerifier, relaySettings } from '../relay/settings.ts';
import { createRequests, type Requests } from '../relay/requests.ts';
import { createSockets } from '../relay/sockets.ts';
import { memoryStore } from '../relay/store.ts';
import { brokerSettings, type Environment } from '../settings.ts';
import { serveHttp } from './http.ts';
import { localSockets } from './sockets.ts';

export interface LocalCloud {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  readonly brokerUrl: string;
  readonly authUrl: string;
  /** For `Sightline.relay`. */
  readonly relayUrl: string;
  /** Also for callers in this process, such as a flow's event. */
  readonly requests: Requests;
  /** A PUBLISHED event, as a rule of the bus would deliver it. */
  published(event: unknown): Promise<'written' | 'ignored'>;
  close(): Promise<void>;
}

const RELAY_PATH = '/relay';

/** @throws Error that names the variable which is wrong */
export async function startLocalCloud(
  env: Environment,
  { port = 0, log = logToStdout }: { port?: number; log?: Log } = {},
): Promise<LocalCloud> {
  const access = openAccess(env);
  const { deadlineMs, origins } = relaySettings(env);
  const broker = createBroker({ access, settings: brokerSettings(env), assumeRole: stsRole(), log });
  const store = memoryStore();
  const locations = memoryLocations();
  const link = createLink({
    ...{ access: access.settings, verify: access.verify, store: locations, log },
    settings: linkSettings(env, access.settings),
    presign: presigner(new S3Client({ forcePathStyle: true })),
  });
  const { instances } = access.settings;
  const published = createLocation({
    ...{ instances, store: locations, log, attribute: 'sightlineRecording' },
    connectIn: env['AWS_ENDPOINT_URL_CONNECT'] === undefined ? null : (region) => connectApi(region, env),
  });
  const http = await serveHttp((event) => {
    if (event.rawPath.startsWith('/contact/')) return requests.http(event);
    if (event.rawPath.startsWith('/recordings/')) return link(event);
    return broker(event);
  }, port);
  const sockets = localSockets(http.server, RELAY_PATH);
  const { push } = sockets;
  const requests = createRequests({
    ...{ instances, store, push, deadlineMs, log },
    verifyCaller: callerVerifier(env),
  });
  sockets.serve(createSockets({ access, store, push, origins, log }));
  return {
    origin: http.origin,
    brokerUrl: `${http.origin}/credentials`,
    authUrl: `${http.origin}/authorize`,
    relayUrl: `${http.origin.replace('http:', 'ws:')}${RELAY_PATH}`,
    requests,
    published,
    async close() {
      sockets.close();
      await http.close();
    },
  };
}

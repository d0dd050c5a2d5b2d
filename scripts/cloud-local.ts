// The cloud side on this computer (docs/aws-services.md): broker, authorizer, relay and links on the loopback, with the environment
// variables of the Lambda functions.

import { startLocalCloud } from '../cloud/local/server.ts';

const cloud = await startLocalCloud(process.env, { port: Number(process.env['PORT'] ?? 5480) });
console.log(`credentials  POST ${cloud.brokerUrl}`);
console.log(`authorize    POST ${cloud.authUrl}`);
console.log(`relay        POST ${cloud.origin}/contact/suspend-recording and /contact/resume-recording`);
console.log(`pages             ${cloud.relayUrl}`);
console.log(`links        GET  ${cloud.origin}/recordings/<contactId>?instance=<id>`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cloud.close());

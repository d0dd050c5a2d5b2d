// Credentials that run out in the middle of a long delivery.
import { expect, it } from 'vitest';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import { askBroker } from '../../main/publisher/s3/broker.ts';
import { S3Sink } from '../../main/publisher/s3/s3Sink.ts';
import { Throttle } from '../../main/publisher/s3/throttle.ts';
import { startBroker } from '../rig/broker.ts';
import { settingsFor } from '../rig/uploads.ts';
import { LONG, expectWhole, newId, rig } from '../rig/s3Judge.ts';
import { BUCKET, startStrictStore } from '../rig/s3Store.ts';

const network = new NodeNetwork();
it('credentials of a broker are asked for once for a delivery, and again before they expire', async () => {
  const strict = await startStrictStore();
  const broker = await startBroker(strict.strict!, ['token']);
  const sink = new S3Sink({
    settings: settingsFor(strict),
    throttle: new Throttle(),
    network,
    credentialsFor:
      ({ recordingId, contactId, agentArn, instanceArn, key }) =>
      () =>
        askBroker(network, broker.url, 'token', {
          ...{ recordingId, contactId, agentArn, instanceArn },
          ...{ bucket: BUCKET, keyPrefix: key },
        }),
  });
  const spool = await rig();
  const id = newId();
  const run = await spool.begin(id);
  await run.grow(LONG);
  // The SDK asks anew five minutes before the end.
  broker.livesMs = 302_000;
  const delivery = spool.live(id, sink);
  await delivery.advance(run.endTime);
  expect(broker.given).toHaveLength(1);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  await run.grow(LONG);
  await delivery.advance(run.endTime);
  expect(broker.given.length).toBeGreaterThan(1);
  await spool.end(id, run);
  await spool.deliver(id, sink, delivery);
  await expectWhole(strict, id, 2 * LONG);
  expect(strict.strict!.problems).toEqual([]);
  await broker.close();
  await strict.stop();
});

it('a token that no header can carry is asked nobody with, and is in no message', async () => {
  const request = {
    ...{ recordingId: 'r', contactId: 'c', agentArn: 'arn:a', instanceArn: 'arn:i' },
    ...{ bucket: BUCKET, keyPrefix: 'k' },
  };
  const refusal = await askBroker(network, 'http://127.0.0.1:9/', 'secret\nsecond line', request).catch(
    (error: unknown) => error,
  );
  expect(refusal).toMatchObject({ code: 'CLIENT_AUTH_ERROR' });
  expect(String(refusal)).not.toContain('second line');
});

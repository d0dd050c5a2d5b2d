import { expect, it } from 'vitest';
import { FolderRequests } from '../../../main/publisher/folderRequests.ts';

/** Requests that are answered when the test says so. */
function hanging() {
  const answers: (() => void)[] = [];
  const request = (): Promise<void> => new Promise((resolve) => answers.push(resolve));
  return { answers, request };
}
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('two requests to a folder are outstanding at most, of however many uploads: recording needs the other threads', async () => {
  const { answers, request } = hanging();
  // One per upload, as the sink of each policy has its own.
  const all = ['a', 'b', 'c', 'd'].map(() => new FolderRequests('/share', 60_000).within(request));
  await settle();
  expect(answers).toHaveLength(2);
  answers[1]!();
  await all[1];
  await settle();
  expect(answers).toHaveLength(3);
  // Another folder does not wait for this one.
  await new FolderRequests('/other', 60_000).within(() => Promise.resolve());
  for (let index = 0; index < 4; index += 1) {
    answers[index]!();
    await settle();
  }
  await Promise.all(all);
  expect(answers).toHaveLength(4);
});

it('what waits behind a request that was not answered in time fails, and the folder is asked again once it answers', async () => {
  const { answers, request } = hanging();
  const requests = new FolderRequests('/hung', 20);
  const all = [1, 2, 3, 4].map(() => requests.within(request));
  const results = await Promise.allSettled(all);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
  expect(answers.length).toBeLessThanOrEqual(2);
  await expect(requests.within(() => Promise.resolve())).rejects.toMatchObject({ code: 'UPLOAD_FAILED' });
  for (const answer of answers) answer();
  await settle();
  await settle();
  await requests.within(() => Promise.resolve());
});

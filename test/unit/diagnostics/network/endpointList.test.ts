import { mkdir, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  judgeEndpointList,
  listedEndpoints,
  parseEndpointList,
} from '../../../../main/diagnostics/network/endpointList.ts';
import { NodeNetwork } from '../../../../main/platform/network/nodeNetwork.ts';
import { temporaryFolder } from '../../support/folders.ts';

const NOW = Date.UTC(2026, 10, 29);
const LIMIT_MS = 2000;
const host = (n: number, region = 'eu-central-1'): string =>
  `connect-recording-staging-${n}.s3.dualstack.${region}.amazonaws.com`;
const good = { createDate: '2026-11-01-10-20-30', endpoints: [host(1), host(2), host(3, 'us-east-1')] };

const look = (place: string, region: string | null = 'eu-central-1') =>
  listedEndpoints(new NodeNetwork(), place, region, NOW, LIMIT_MS);

async function fileWith(content: unknown): Promise<string> {
  const path = join(await temporaryFolder(), 'list.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/list.json?token=secret`;
}

describe('a list in a file', () => {
  it('that is new is ok, and its hosts of the region are tried', async () => {
    const { finding, targets } = await look(await fileWith(good));
    expect(finding.verdict).toBe('ok');
    expect(finding.evidence).toMatch(
      /list\.json, created on 2026-11-01 \(27 days ago\): 3 hosts, 2 in eu-central-1$/,
    );
    expect(targets.map((target) => target.host)).toEqual([host(1), host(2)]);
    expect(targets[0]).toMatchObject({ port: 443, protocol: 'tcp', websocket: false, isOptional: false });
  });

  it('that is older than 90 days is a warning, and its hosts are tried all the same', async () => {
    const { finding, targets } = await look(await fileWith({ ...good, createDate: '2026-08-30' }));
    expect(finding).toMatchObject({ verdict: 'warning' });
    expect(finding.evidence).toContain('created on 2026-08-30 (91 days ago)');
    expect(finding.remedy).toContain('https://screenrecording.connect.aws/config/');
    expect(targets).toHaveLength(2);
    const young = await look(await fileWith({ ...good, createDate: '2026-08-31' }));
    expect(young.finding.verdict).toBe('ok');
  });

  it('without a date, or with one that cannot be read, is a warning', async () => {
    for (const createDate of [undefined, 'soon', '2026-13-45', 20_261_101, ''])
      expect((await look(await fileWith({ ...good, createDate }))).finding).toMatchObject({
        verdict: 'warning',
        evidence: expect.stringContaining('without a date that can be read') as string,
      });
  });

  it('is tried in one region, eight hosts at most', async () => {
    const many = Array.from({ length: 30 }, (_, n) => host(n));
    const { finding, targets } = await look(await fileWith({ ...good, many }));
    expect(finding.evidence).toContain('31 hosts, 30 in eu-central-1, of which 8 were tried');
    expect(targets).toHaveLength(8);
    const unknown = await look(await fileWith(good), null);
    expect(unknown).toMatchObject({ targets: [], finding: { verdict: 'skipped' } });
    const other = await look(await fileWith(good), 'ap-south-1');
    expect(other).toMatchObject({ targets: [], finding: { verdict: 'warning' } });
    expect(other.finding.remedy).toMatch(/^It has no host of this region\./);
  });

  it.each([
    ['no JSON', '<html>blocked by the proxy</html>', 'it is not a JSON object as AWS publishes it'],
    ['a list', [host(1)], 'it is not a JSON object as AWS publishes it'],
    ['nothing', '', 'it is not a JSON object as AWS publishes it'],
    ['no host', { createDate: '2026-11-01', endpoints: [] }, 'it names no host of AWS'],
    ['a date that is an object', { ...good, createDate: {} }, 'it is not a JSON object as AWS publishes it'],
    ['too many entries', { a: Array.from({ length: 10_001 }, () => 1) }, 'it has more than 10000 entries'],
    ['too many levels', JSON.parse(`${'{"a":'.repeat(20)}1${'}'.repeat(20)}`), 'or more than 8 levels'],
    ['more than a mebibyte', { ...good, filler: 'x'.repeat(1024 * 1024) }, 'it has more than 1048576 bytes'],
  ])('with %s is failed', async (_, content, why) => {
    const { finding, targets } = await look(await fileWith(content));
    expect(finding).toMatchObject({
      verdict: 'failed',
      evidence: expect.stringContaining(why) as string,
      remedy: expect.stringMatching(/^Download AWS's list again from https:/) as string,
    });
    expect(targets).toEqual([]);
  });

  it('that is none is failed, and blocks nothing: a folder, a named pipe, a device, nothing', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'folder'));
    const places = [join(folder, 'folder'), join(folder, 'gone')];
    if (process.platform !== 'win32') {
      execFileSync('mkfifo', [join(folder, 'pipe')]);
      places.push(join(folder, 'pipe'), '/dev/zero');
    }
    for (const place of places) expect((await look(place)).finding.verdict).toBe('failed');
  });
});

describe('hosts in a list', () => {
  const hostsOf = (...entries: unknown[]) =>
    parseEndpointList(JSON.stringify({ entries: [host(1), ...entries] }));

  it.each([
    '..',
    '127.0.0.1',
    '169.254.169.254',
    '[::1].amazonaws.com',
    'localhost.',
    'evil.example',
    'amazonaws.com',
    'amazonaws.com.evil.example',
    'x.amazonaws.com\r\nHost: evil.example',
    'x.amazonaws.com\u0000.evil.example',
    'x\u202e.amazonaws.com',
    'a@b.amazonaws.com',
    'a:22.amazonaws.com',
    'http://a.amazonaws.com',
    'https://a.amazonaws.com:8443/',
    'https://user@a.amazonaws.com/',
    '*.s3.dualstack.eu-central-1.amazonaws.com',
    '-a.amazonaws.com',
    'a..b.amazonaws.com',
    `${'a'.repeat(64)}.amazonaws.com`,
    `${'a.'.repeat(130)}amazonaws.com`,
  ])('that are hostile are never tried: %j', (entry) => {
    expect(hostsOf(entry)).toMatchObject({ hosts: [host(1)], refused: 1 });
  });

  it('are accepted wherever they are, each once, also as addresses; keys, versions and times are no hosts', () => {
    const list = {
      createDate: '2026-11-01T10:20:30.000Z',
      ...{ version: '1.2.0', updated: '2026-11-01T10:20:30.000Z', 'not.a.host': 1 },
      regions: {
        'eu-central-1': { uploads: [{ endpoint: `https://${host(1)}/` }, host(1).toUpperCase()] },
        'cn-north-1': ['connect-recording-staging-9.s3.dualstack.cn-north-1.amazonaws.com.cn'],
      },
    };
    expect(parseEndpointList(`\uFEFF${JSON.stringify(list)}`)).toEqual({
      createdAt: Date.UTC(2026, 10, 1, 10, 20, 30),
      hosts: [host(1), 'connect-recording-staging-9.s3.dualstack.cn-north-1.amazonaws.com.cn'],
      refused: 0,
    });
  });

  it('that are refused are counted', () => {
    const { finding } = judgeEndpointList(
      { createdAt: NOW, hosts: [host(1)], refused: 2 },
      'list.json',
      'eu-central-1',
      NOW,
    );
    expect(finding).toMatchObject({
      verdict: 'ok',
      evidence:
        'list.json, created on 2026-11-29 (0 days ago): 1 host, 1 in eu-central-1; ignored, because they are no hosts of AWS: 2',
    });
  });
});

describe('a list at an address', () => {
  it('is downloaded, and only its host is named', async () => {
    const url = await serve((_, response) => response.end(JSON.stringify(good)));
    const { finding, targets } = await look(url);
    expect(finding.verdict).toBe('ok');
    expect(finding.evidence).toMatch(/^127\.0\.0\.1:\d+, created on/);
    expect(targets).toHaveLength(2);
  });

  it.each<[string, RequestListener, string]>([
    ['answers with an error', (_, response) => response.writeHead(403).end('no'), 'it answered 403'],
    [
      'leads elsewhere, which is not followed',
      (_, response) => response.writeHead(302, { Location: 'https://evil.example/' }).end(),
      'it answered 302',
    ],
    [
      'sends without end',
      (_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write('x'.repeat(65_536)));
          response.once('drain', more);
        };
        more();
      },
      'its answer is too long',
    ],
    ['never answers', () => undefined, 'it did not answer within 2 s'],
    ['breaks off', (_, response) => response.destroy(), 'it cannot be reached (ECONNRESET)'],
  ])('that %s is failed', async (_, answer, why) => {
    const { finding, targets } = await look(await serve(answer));
    expect(finding).toMatchObject({
      verdict: 'failed',
      evidence: expect.stringContaining(`cannot be used: ${why}`) as string,
    });
    expect(finding.evidence).not.toContain('secret');
    expect(targets).toEqual([]);
  });
});

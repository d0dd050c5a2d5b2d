// What each system says of a connection's other end: captured on Linux.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { linuxPeers, readTable, rowsOf, peerOf } from '../../../main/server/peerLookup.ts';
import type { PeerConnection } from '../../../main/server/peerLookup.ts';
import type { WindowsHelper } from '../../../main/platform/windowsHelper.ts';
import { parsePeer, windowsPeers } from '../../../main/server/windowsPeers.ts';
import { temporaryFolder } from '../support/folders.ts';
import { needsLinux, orLeftOut } from '../../rig/leftOut.ts';

const between = (address: string, port: number, ours = 5431): PeerConnection => ({
  local: { address, port },
  remote: { address, port: ours },
});

// A page of user 1000 (38554 by IPv4, 39584 by a mapped address, 37686 by IPv6), the server's own ends of them (user
// 1001 here), and one connection that the page has just closed (39588).
const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   2: 0100007F:1537 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 97240 1 00000000e0c4dbe1 100 0 0 10 0
  29: 0100007F:1537 0100007F:9AA0 01 00000000:00000000 00:00000000 00000000  1001        0 97248 1 00000000c95cfc46 20 0 0 10 -1
  71: 0100007F:9A9A 0100007F:1537 01 00000000:00000000 00:00000000 00000000  1000        0 97242 2 0000000054a64994 20 0 0 10 -1
  72: 0100007F:9AA4 0100007F:1537 06 00000000:00000000 03:0000176C 00000000     0        0 0 3 00000000a031d76b
  98: 0100007F:1537 0100007F:9A9A 01 00000000:00000000 00:00000000 00000000  1001        0 97246 1 00000000a2179641 20 0 0 10 -1
`;
const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:1537 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 97241 1 00000000f1d72efd 100 0 0 10 0
   1: 00000000000000000000000001000000:1537 00000000000000000000000001000000:9336 01 00000000:00000000 00:00000000 00000000  1001        0 97247 1 000000000eec082c 20 0 0 10 -1
   2: 0000000000000000FFFF00000100007F:9AA0 0000000000000000FFFF00000100007F:1537 01 00000000:00000000 00:00000000 00000000  1000        0 97244 2 0000000065786efe 20 0 0 10 -1
   3: 00000000000000000000000001000000:9336 00000000000000000000000001000000:1537 01 00000000:00000000 00:00000000 00000000  1000        0 97243 2 0000000066be2026 20 0 0 10 -1
`;

describe('the sockets that Linux lists', () => {
  it('are read by IPv4, IPv6 and mapped addresses', () => {
    const pages = [between('127.0.0.1', 39578), between('127.0.0.1', 39584), between('::1', 37686)];
    const usersIn = (table: string, order: 'LE' | 'BE', peers = pages) => {
      const users = new Map<string, number>();
      readTable(table, rowsOf(peers, order), users);
      return [...users];
    };
    expect(usersIn(tcp, 'LE')).toEqual([['127.0.0.1 39578 127.0.0.1 5431', 1000]]);
    expect(usersIn(tcp6, 'LE')).toEqual([
      ['127.0.0.1 39584 127.0.0.1 5431', 1000],
      ['::1 37686 ::1 5431', 1000],
    ]);
    expect(usersIn('  71: 7F000001:9A9A 7F000001:1537 01 0:0 0:0 0 7 0 9 ', 'BE')).toEqual([
      ['127.0.0.1 39578 127.0.0.1 5431', 7],
    ]);
    const far = between('2001:db8::a:1', 39578);
    const row = '1: B80D012000000000000000000100' + '0A00:9A9A 00000000000000000000000001000000:1537';
    expect(
      usersIn(`  ${row} 01 0:0 0:0 0 7 0 9 `, 'LE', [{ ...far, remote: { address: '::1', port: 5431 } }]),
    ).toEqual([['2001:db8::a:1 39578 ::1 5431', 7]]);
  });

  it('tell the page’s end from ours, and nothing of a closed one, which shows uid 0', async () => {
    const folder = await temporaryFolder();
    const tables = [join(folder, 'tcp'), join(folder, 'tcp6')] as const;
    await Promise.all([writeFile(tables[0], tcp), writeFile(tables[1], tcp6)]);
    const page = between('127.0.0.1', 39578);
    const gone = between('127.0.0.1', 39588);
    const reversed = { local: page.remote, remote: page.local };
    const kinds = async (uid: number, ...peers: PeerConnection[]): Promise<string[]> =>
      (await linuxPeers(uid, tables)(peers)).map(({ kind }) => kind);
    const all = [page, between('127.0.0.1', 39584), between('::1', 37686)];
    expect(await kinds(1000, ...all)).toEqual(['ours', 'ours', 'ours']);
    expect(await kinds(1001, ...all)).toEqual(['other', 'other', 'other']);
    expect(await kinds(0, page, gone)).toEqual(['other', 'unknown']);
    expect(await kinds(1001, reversed, between('127.0.0.1', 1))).toEqual(['ours', 'unknown']);
  });

  it('are not there: nothing is known, and the reason names the file', async () => {
    const verdicts = await linuxPeers(0, ['/proc/net/no-such-table'])([between('127.0.0.1', 1)]);
    expect(verdicts).toEqual([
      { kind: 'unknown', reason: expect.stringContaining('/proc/net/no-such-table') as string },
    ]);
  });

  it.skipIf(needsLinux !== null).each([
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '::ffff:127.0.0.1'],
    ['::1', '::1'],
    // Anybody may connect from another address of the machine.
    ['127.0.0.1', '127.0.0.1', '127.8.9.10'],
  ])(
    orLeftOut('name this user for a connection from here: to %s by %s %s', needsLinux),
    async (host, by, localAddress?: string) => {
      const server = createServer().listen(0, host);
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const client = connect({ port, host: by, ...(localAddress === undefined ? {} : { localAddress }) });
      const [accepted] = (await once(server, 'connection')) as [Socket];
      onTestFinished(() => {
        client.destroy();
        server.close();
      });
      const peer = peerOf(accepted)!;
      expect(await linuxPeers(process.geteuid!())([peer])).toEqual([{ kind: 'ours' }]);
      expect((await linuxPeers(process.geteuid!() + 1)([peer]))[0]?.kind).toBe('other');
    },
  );
});

describe('the answers of the Windows helper', () => {
  it('are one word for each connection', () => {
    expect(parsePeer('ours')).toEqual({ kind: 'ours' });
    expect(parsePeer('session 2 4711')).toMatchObject({
      kind: 'other',
      reason: expect.stringContaining('process 4711 in Windows session 2') as string,
    });
    expect(['none', 'process 0', 'process 12', '', 'nonsense'].map((word) => parsePeer(word).kind)).toEqual(
      Array.from({ length: 5 }, () => 'unknown'),
    );
  });

  it('must be as many as were asked for', async () => {
    const ask: WindowsHelper['ask'] = (_, answer) =>
      Promise.resolve(['ours']).then((one) => answer.parse(one));
    const [one, other] = [between('127.0.0.1', 1), between('::1', 2)];
    expect(await windowsPeers({ ask })([one])).toEqual([{ kind: 'ours' }]);
    await expect(windowsPeers({ ask })([one, other])).rejects.toThrow();
  });

  // A flood of connections does that: Node then returns a child without pipes.
  it.skipIf(needsLinux !== null)(
    orLeftOut('fail where no file descriptors are left, which does not end the program', needsLinux),
    () => {
      const program = fileURLToPath(new URL('../support/peersWithoutDescriptors.ts', import.meta.url));
      const args = ['--nofile=80:80', process.execPath, '--import', 'tsx', program];
      expect(spawnSync('prlimit', args, { encoding: 'utf8' })).toMatchObject({
        status: 0,
        stdout: 'EMFILE\n',
      });
    },
  );
});

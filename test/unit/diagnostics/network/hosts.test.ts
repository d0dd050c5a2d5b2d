import { describe, expect, it } from 'vitest';
import { hasTurnHosts, localUdpPorts, targetsOf } from '../../../../main/diagnostics/network/hosts.ts';

describe('the hosts of an instance', () => {
  const frankfurt = targetsOf({ alias: 'acme', region: 'eu-central-1' });

  it('are those of its alias and region, each once, with nothing left to fill in', () => {
    const names = frankfurt.map(({ host }) => host);
    expect(names).toContain('acme.my.connect.aws');
    expect(names).toContain('participant.connect.eu-central-1.amazonaws.com');
    expect(names).toContain('turnnlb-ea5316ebe2759cbc.elb.eu-central-1.amazonaws.com');
    expect(names).toContain('d1n9s7btyr4f0n.cloudfront.net');
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9.*-]+$/);
  });

  it('are reached on 443/tcp, the TURN hosts on 3478/udp, and each says what it is for', () => {
    for (const { host, port, protocol, purpose } of frankfurt) {
      const isTurn = host.startsWith('turnnlb');
      expect(`${port}/${protocol}`).toBe(isTurn ? '3478/udp' : '443/tcp');
      expect(purpose).not.toBe('');
      expect(purpose).not.toContain('see turnNlb');
    }
  });

  it('are as many TURN hosts as the region has', () => {
    const turn = targetsOf({ alias: 'acme', region: 'us-west-2' }).filter(
      ({ protocol }) => protocol === 'udp',
    );
    expect(turn).toHaveLength(3);
    for (const { host } of turn) expect(host).not.toContain('*');
  });

  it('are hosts only, where the list has a path too', () => {
    const names = targetsOf({ alias: 'acme', region: 'us-gov-west-1' }).map(({ host }) => host);
    expect(names).toContain('s3-us-gov-west-1.amazonaws.com');
  });

  it('without a region are those that depend on none', () => {
    expect(targetsOf({ alias: 'acme', region: null }).map(({ host }) => host)).toEqual([
      ...['acme.my.connect.aws', '*.static.connect.aws', 'acme.awsapps.com'],
    ]);
  });

  it('include the former address, which not every instance has, as the only optional one', () => {
    expect(frankfurt.filter(({ isOptional }) => isOptional).map(({ host }) => host)).toEqual([
      'acme.awsapps.com',
    ]);
  });

  it('in a region that the list does not know keep the family of TURN hosts; no name of Object is one', () => {
    for (const region of ['eu-nowhere-9', 'constructor']) {
      expect(hasTurnHosts(region)).toBe(false);
      const udp = targetsOf({ alias: 'acme', region }).filter(({ protocol }) => protocol === 'udp');
      expect(udp.map(({ host }) => host)).toEqual([`turnnlb-*.elb.${region}.amazonaws.com`]);
    }
  });
});

it('answers of TURN hosts come back to the ports that the system gives out', () => {
  expect(localUdpPorts('win32')).toBe('49152-65535');
  expect(localUdpPorts('linux')).toBe('32768-61000');
});

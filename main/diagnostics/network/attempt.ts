// One host being tried, step by step: what a step found is what the next one goes on with, and each says what it means.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { connectTo, firstOf } from './connect.ts';
import { NoAnswerError, within, wordsOf } from './deadline.ts';
import { isFamily, localUdpPorts } from './hosts.ts';
import { openTunnel, proxyName } from './proxy.ts';
import { askStun } from './stun.ts';
import { isOpened, judgeHandshake, judgeNoHandshake, shakeHands } from './tls.ts';
import type { Endpoint, NetworkFinding, NetworkLimits, NetworkPorts, Target } from './types.ts';
import { askUpgrade, judgeUpgrade } from './websocket.ts';

/** How many addresses of one name are tried, at the same time. */
const MAX_ADDRESSES = 4;

export interface Context {
  readonly ports: NetworkPorts;
  readonly limits: NetworkLimits;
  readonly whole: AbortSignal;
}

/** One step at one host. What comes after it is tried only if it says so. */
export interface Step {
  readonly name: string;
  readonly run: () => Promise<NetworkFinding & { readonly goOn: boolean }>;
}

/** One host being tried: what one step found is what the next one goes on with. */
export class Attempt {
  private addresses: readonly string[] = [];
  private socket: Socket | null = null;
  private secure: TLSSocket | null = null;
  private isOpened = false;

  constructor(
    private readonly target: Target,
    private readonly context: Context,
  ) {}

  async steps(): Promise<Step[]> {
    const { host, port, protocol, websocket } = this.target;
    const dns: Step = { name: 'dns', run: () => this.resolve() };
    if (protocol === 'udp')
      return isFamily(this.target) ? [this.unnamed()] : [dns, { name: 'stun', run: () => this.stun() }];
    const secured: Step[] = [{ name: 'tls', run: () => this.shakeHands() }];
    if (websocket) secured.push({ name: 'websocket', run: () => this.upgrade() });
    const route = await this.context.ports.proxyFor(host, port);
    switch (route.kind) {
      case 'direct':
        if (isFamily(this.target)) return [this.unnamed()];
        return [dns, { name: 'tcp', run: () => this.connect() }, ...secured];
      case 'proxy':
        if (isFamily(this.target)) return [{ name: 'proxy', run: () => this.askForFamily(route.url) }];
        return [{ name: 'proxy', run: () => this.tunnel(route.url) }, ...secured];
      case 'unusable':
        return [
          {
            name: 'proxy',
            run: () =>
              Promise.resolve(
                stop({ verdict: 'skipped', evidence: `not tried: ${route.words}`, remedy: this.allow }),
              ),
          },
        ];
    }
  }

  close(): void {
    this.secure?.destroy();
    this.socket?.destroy();
  }

  /** The line for the allowlist. */
  private get allow(): string {
    const { host, port, protocol, purpose } = this.target;
    const back = localUdpPorts(this.context.ports.platform);
    const answers = protocol === 'udp' ? `, with answers to this machine's UDP ports ${back}` : '';
    const where = protocol === 'udp' ? 'the firewall' : 'firewall and proxy';
    return `Allow ${host}, ${protocol.toUpperCase()} ${port}${answers}, in ${where} (for: ${purpose}).`;
  }

  private unnamed(): Step {
    const evidence =
      'a family of names of which AWS chooses one at sign-in; without its name it cannot be tried';
    return {
      name: 'allowlist',
      run: () => Promise.resolve(stop({ verdict: 'skipped', evidence, remedy: this.allow })),
    };
  }

  private async resolve() {
    const { ports, limits, whole } = this.context;
    try {
      this.addresses = await within(limits.dnsMs, whole, () => ports.resolve(this.target.host));
    } catch (error) {
      whole.throwIfAborted();
      return stop({
        verdict: 'failed',
        evidence: wordsOf(error),
        remedy: `Have the DNS server of this network resolve ${this.target.host}. ${this.allow}`,
      });
    }
    const evidence = this.addresses.join(', ') || 'no address';
    if (this.addresses.length > 0 && !this.addresses.every(isSinkhole)) return goOn(evidence);
    return stop({
      verdict: 'failed',
      evidence: `${evidence}: a DNS filter or a hosts file answers so for names that it blocks`,
      remedy: `Take ${this.target.host} off the DNS filter's list, or out of the hosts file. ${this.allow}`,
    });
  }

  private async connect() {
    const { limits, whole } = this.context;
    const started = performance.now();
    try {
      const { socket, address } = await within(limits.tcpMs, whole, (signal) =>
        firstOf(this.endpoints(), signal, connectTo),
      );
      this.socket = socket;
      return goOn(`connected to ${address} in ${msSince(started)}`);
    } catch (error) {
      whole.throwIfAborted();
      const silent = error instanceof NoAnswerError ? '; a firewall drops it' : '';
      return stop({ verdict: 'failed', evidence: `${wordsOf(error)}${silent}`, remedy: this.allow });
    }
  }

  private async tunnel(proxy: URL) {
    const { limits, whole } = this.context;
    const { host, port } = this.target;
    const name = proxyName(proxy);
    const started = performance.now();
    try {
      const { status, socket, schemes } = await within(limits.proxyMs, whole, (signal) =>
        openTunnel(proxy, host, port, signal),
      );
      this.socket = socket;
      if (socket !== null) return goOn(`tunnel through ${name} in ${msSince(started)}`);
      return stop(this.judgeRefusal(name, status, schemes));
    } catch (error) {
      whole.throwIfAborted();
      return stop(judgeNoProxy(name, error));
    }
  }

  /** A made-up name of the family: all that it can show is whether the proxy's rules refuse it. */
  private async askForFamily(proxy: URL) {
    const { limits, whole } = this.context;
    const name = proxyName(proxy);
    const host = this.target.host.replace('*', 'sightline-check');
    try {
      const { status, socket, schemes } = await within(limits.proxyMs, whole, (signal) =>
        openTunnel(proxy, host, this.target.port, signal),
      );
      socket?.destroy();
      if (status === 403 || status === 407) return stop(this.judgeRefusal(name, status, schemes));
      return stop({
        verdict: 'skipped',
        evidence: `the proxy ${name} did not refuse a made-up name of this family (it answered ${status}); more cannot be tried without a real one`,
        remedy: this.allow,
      });
    } catch (error) {
      whole.throwIfAborted();
      return stop(judgeNoProxy(name, error));
    }
  }

  private judgeRefusal(name: string, status: number, schemes: string): NetworkFinding {
    const { host, port } = this.target;
    if (status === 407) {
      const asked = schemes === '' ? '' : ` with ${schemes}`;
      return {
        verdict: 'failed',
        evidence: `the proxy ${name} asks for a sign-in${asked} (407)`,
        remedy: `Let ${host}, TCP ${port}, pass the proxy without a sign-in: the softphone and Sightline cannot give one. ${this.allow}`,
      };
    }
    if (status >= 500) {
      return {
        verdict: 'failed',
        evidence: `the proxy ${name} does not reach the host (${status})`,
        remedy: `See that the proxy itself can resolve and reach ${host}, TCP ${port}. ${this.allow}`,
      };
    }
    return {
      verdict: 'failed',
      evidence: `the proxy ${name} refuses the tunnel (${status})`,
      remedy: `Put ${host}, TCP ${port}, method CONNECT, on the proxy's allowlist (for: ${this.target.purpose}).`,
    };
  }

  private async shakeHands() {
    const { ports, limits, whole } = this.context;
    const { host } = this.target;
    const socket = this.socket;
    if (socket === null) throw new Error('no connection');
    try {
      const { secure, handshake } = await within(limits.tlsMs, whole, (signal) =>
        shakeHands(socket, host, ports.trustedRoots, signal),
      );
      this.secure = secure;
      this.isOpened = isOpened(handshake);
      // A proxy that opens TLS is the one that may break websockets: go on and see.
      return { ...judgeHandshake(handshake, host), goOn: true };
    } catch (error) {
      whole.throwIfAborted();
      return stop(judgeNoHandshake(error, host, this.allow));
    }
  }

  private async upgrade() {
    const { limits, whole } = this.context;
    const { host } = this.target;
    const secure = this.secure;
    if (secure === null) throw new Error('no connection');
    const judge = (answer: Parameters<typeof judgeUpgrade>[0]) =>
      stop(judgeUpgrade(answer, this.isOpened, host, this.allow));
    try {
      return judge(await within(limits.websocketMs, whole, (signal) => askUpgrade(secure, host, signal)));
    } catch (error) {
      whole.throwIfAborted();
      return judge({ kind: 'cut', words: wordsOf(error) });
    }
  }

  private async stun() {
    const { limits, whole } = this.context;
    const started = performance.now();
    try {
      const { answer, requests } = await within(limits.stunMs, whole, (signal) =>
        firstOf(this.endpoints(), signal, (endpoint, inner) =>
          askStun(endpoint, limits.stunFirstWaitMs, inner),
        ),
      );
      const lost = requests > 1 ? `, after ${requests} requests` : '';
      if (answer.kind === 'error')
        return goOn(`answered in ${msSince(started)}${lost} (STUN error ${answer.code})`);
      const seen = answer.mapped === null ? '' : `, this network is seen as ${answer.mapped}`;
      const evidence = `answered in ${msSince(started)}${lost}${seen}`;
      if (requests === 1) return goOn(evidence);
      const remedy = 'Packets were lost: calls may stutter. Look at the line, at Wi-Fi, and at UDP rules.';
      return stop({ verdict: 'warning', evidence, remedy });
    } catch (error) {
      whole.throwIfAborted();
      // Whether AWS's hosts answer somebody without credentials is not written anywhere: silence proves nothing.
      if (error instanceof NoAnswerError)
        return stop({
          verdict: 'warning',
          evidence: `${wordsOf(error)}; either UDP ${this.target.port} is blocked or the host does not answer without credentials`,
          remedy: `If calls have no sound or end early here: ${this.allow} If they are fine, there is nothing to do.`,
        });
      return stop({
        verdict: 'failed',
        evidence: `UDP ${this.target.port} is not let through: ${wordsOf(error)}`,
        remedy: this.allow,
      });
    }
  }

  private endpoints(): Endpoint[] {
    const { host, port } = this.target;
    return this.addresses
      .slice(0, MAX_ADDRESSES)
      .map((address) => this.context.ports.dial({ address, port }, host));
  }
}

function judgeNoProxy(name: string, error: unknown): NetworkFinding {
  return {
    verdict: 'failed',
    evidence: `the proxy ${name} cannot be reached: ${wordsOf(error)}`,
    remedy:
      "See that the proxy runs, and that its name and port are right in this computer's proxy settings (or in HTTPS_PROXY).",
  };
}

/** Addresses that nobody is reached at; what DNS filters answer. */
function isSinkhole(address: string): boolean {
  return address === '::' || address === '::1' || /^(0|127)\./.test(address);
}

function goOn(evidence: string): NetworkFinding & { readonly goOn: boolean } {
  return { verdict: 'ok', evidence, remedy: '', goOn: true };
}

function stop(finding: NetworkFinding): NetworkFinding & { readonly goOn: boolean } {
  return { ...finding, goOn: false };
}

function msSince(started: number): string {
  return `${Math.round(performance.now() - started)} ms`;
}

// What can be wrong with the machine's policy: not valid with and without a running Sightline, and changed where that waits.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MACHINE_POLICY_FILE } from '../../../main/policy/machine.ts';
import { startDisplay } from '../display.ts';
import { asSeenBy, withMachinePolicy, withOwnEtc } from '../mount.ts';
import { startRecorder } from '../recorder.ts';
import type { Bench, DoctorCase, DoctorStart } from './bench.ts';

const NOT_VALID = '{"port":"five"}';

export const policyCases: readonly DoctorCase[] = [
  {
    check: 'policy in force',
    verdict: 'failed',
    when: 'it is not valid, and no Sightline runs',
    evidence: /^the policy is not valid: .*"port"/,
    remedy: /^Sightline does not start with it\. Have IT fix it, and start Sightline\.$/,
    arrange: async (bench) => {
      const etc = bench.path('etc');
      await mkdir(etc);
      return { wrapper: withMachinePolicy(etc, NOT_VALID) };
    },
  },
  {
    check: 'policy in force',
    verdict: 'warning',
    when: 'a variable sets what only the machine policy may set',
    evidence: /^ignored: .*"indicator" is set by the machine policy only .* SIGHTLINE_INDICATOR is ignored\./,
    remedy: /^Remove these where they were set, or have IT set them in the machine policy\.$/,
    arrange: async (bench) => {
      const etc = bench.path('etc');
      await mkdir(etc);
      return {
        wrapper: withMachinePolicy(etc, { dataDir: bench.dataDir, port: 0 }),
        environment: { SIGHTLINE_INDICATOR: 'off' },
      };
    },
  },
  {
    check: 'policy in force',
    verdict: 'failed',
    when: 'it is not valid, and Sightline runs with the one before',
    evidence: /^the new policy was rejected, the previous one is in effect: .*"port"/,
    remedy: /^Have IT fix the policy\. It is applied without a restart\.$/,
    arrange: (bench) =>
      changed(
        bench,
        () => NOT_VALID,
        ({ problems }) => problems.length > 0,
      ),
  },
  {
    check: 'policy in force',
    verdict: 'warning',
    when: 'a part of it waits for a restart',
    evidence: /^changed, and not in effect until Sightline is next started: "port"$/,
    remedy: /^Quit Sightline when no contact is active, and start it again\.$/,
    arrange: (bench) =>
      changed(
        bench,
        (base) => JSON.stringify({ ...base, port: 5432 }),
        ({ pending }) => pending.length > 0,
      ),
  },
];

interface State {
  readonly problems: readonly string[];
  readonly pending: readonly unknown[];
}

/** A Sightline that runs while its policy changes. */
async function changed(
  bench: Bench,
  /** `base`: what the recorder's flags have set, which count for nothing beside a policy. */
  policyOver: (base: object) => string,
  isTakenUp: (state: State) => boolean,
): Promise<DoctorStart> {
  const etc = bench.path('etc');
  await mkdir(etc);
  const display = await startDisplay({ width: 640, height: 480 });
  bench.onEnd(() => display.stop());
  const recorder = await startRecorder({
    display: display.display,
    home: bench.path('running'),
    wrapper: withOwnEtc(etc),
    environment: { HOME: bench.home },
  });
  bench.onEnd(() => recorder.stop());
  const file = asSeenBy(recorder.pid, MACHINE_POLICY_FILE);
  await mkdir(dirname(file), { recursive: true });
  const base = {
    ...{ port: 0, dataDir: recorder.dataDir, sinkFolder: recorder.sinkFolder },
    ...{ display: display.display, allowLoopbackOrigins: true },
  };
  await writeFile(file, policyOver(base));
  const giveUpAt = performance.now() + 15_000;
  // There is none while there is nothing to say.
  const state = async (): Promise<State> =>
    JSON.parse(
      await readFile(join(recorder.dataDir, 'policy-state.json'), 'utf8').catch(
        () => '{"problems":[],"pending":[]}',
      ),
    ) as State;
  while (!isTakenUp(await state())) {
    if (performance.now() > giveUpAt) throw new Error(`the policy was not taken up:\n${recorder.stderr()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { flags: ['--data-dir', recorder.dataDir] };
}

// For any keys set in any places: the highest place wins, what the machine sets nobody below can change, and where the
// machine sets anything nobody below sets more than a user may.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PolicyKey } from '../../../main/policy/keys.ts';
import { policyKeyNames, policyKeys, variableOf } from '../../../main/policy/keys.ts';
import type { PolicyLayer, PolicySources, Source } from '../../../main/policy/load.ts';
import { loadPolicy } from '../../../main/policy/load.ts';

/** Two values of each that are used here, as a file and as a text. */
const choices = {
  port: [1001, 1002],
  fps: [3, 7],
  allowedDomains: [['a.example'], ['b.example', 'c.example']],
  allowLoopbackOrigins: [true, false],
  uploadLimitKbit: [100, 0],
  logLevel: ['debug', 'error'],
  autostart: [true, false],
  graceSeconds: [0, 3600],
} as const satisfies Partial<Record<PolicyKey, readonly [unknown, unknown]>>;
type Key = keyof typeof choices;
const keys = Object.keys(choices) as Key[];

const value = (name: Key) => fc.constantFrom<unknown>(...choices[name]);
const some = fc.record(Object.fromEntries(keys.map((name) => [name, value(name)])), { requiredKeys: [] });
const layers = fc.record({
  managed: fc.boolean(),
  HKLM: some,
  HKCU: some,
  flags: some,
  environment: some,
  user: some,
});
const textOf = (one: unknown): string => (Array.isArray(one) ? one.join(', ') : String(one));

it('the highest place that has a key decides it, its source is told, and the machine’s word is final', () => {
  fc.assert(
    fc.property(layers, ({ managed, HKLM: inHKLM, HKCU: inHKCU, flags, environment, user }) => {
      const [HKLM, HKCU] = managed ? [inHKLM, inHKCU] : [{}, {}];
      const layer = (source: 'HKLM' | 'HKCU', values: Record<string, unknown>): PolicyLayer => ({
        source,
        place: source,
        loose: true,
        values,
      });
      const machine = managed ? [layer('HKLM', HKLM), layer('HKCU', HKCU)] : [];
      const sources: PolicySources = {
        machine,
        flags: Object.fromEntries(Object.entries(flags).map(([name, one]) => [name, textOf(one)])),
        environment: Object.fromEntries(
          Object.entries(environment).map(([name, one]) => [variableOf(name as PolicyKey), textOf(one)]),
        ),
        user,
      };
      const loaded = loadPolicy(sources);
      for (const name of keys) {
        const mayUser = 'userMaySet' in policyKeys[name];
        const places: [Source, Record<string, unknown>][] = [
          ['HKLM', HKLM],
          ['HKCU', HKCU],
          ...(mayUser || !managed
            ? ([
                ['flag', flags],
                ['environment', environment],
              ] as [Source, Record<string, unknown>][])
            : []),
          ...(mayUser ? ([['user', user]] as [Source, Record<string, unknown>][]) : []),
        ];
        const [source, from] = places.find(([, values]) => name in values) ?? ['default', {}];
        expect(loaded.sources[name]).toBe(source);
        expect(loaded.values[name]).toEqual(source === 'default' ? policyKeys[name].default : from[name]);
        const overruled = [flags, environment, user].filter((values) => name in values).length;
        if (source === 'HKLM' || source === 'HKCU')
          expect(loaded.warnings.filter((one) => one.startsWith(`"${name}" is set by`))).toHaveLength(
            overruled,
          );
      }
      const alone = loadPolicy({ machine, flags: {}, environment: {} });
      for (const name of policyKeyNames.filter((one) => one in HKLM || one in HKCU))
        expect(loaded.values[name]).toEqual(alone.values[name]);
    }),
  );
});

it('every broken key is told of at once; of a machine with a policy only the administrator’s are errors', () => {
  fc.assert(
    fc.property(
      fc.subarray(keys, { minLength: 1 }),
      fc.subarray(keys),
      fc.boolean(),
      (above, below, managed) => {
        const broken = new Set(managed ? above : [...above, ...below]);
        const values = Object.fromEntries(above.map((name) => [name, { not: 'this' }]));
        const texts = (names: Key[]) => Object.fromEntries(names.map((name) => [name, 'x y']));
        const variables = below.map((name) => [variableOf(name), 'x y'] as const);
        const load = () =>
          loadPolicy({
            machine: managed ? [{ source: 'file', place: 'f', loose: false, values }] : [],
            flags: texts(managed ? below : above),
            environment: Object.fromEntries(variables),
          });
        expect(load).toThrow(
          expect.objectContaining({
            problems: expect.toSatisfy((all: string[]) => all.length === broken.size) as unknown,
          }),
        );
      },
    ),
  );
});

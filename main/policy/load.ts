// Policy from its sources, highest first: machine policy, flags, environment, the user's settings, defaults. What the
// machine's policy sets nobody else can change. Where an administrator decides (the installed program, or any machine
// policy), flags and environment are the agent's as much as the settings file is: they set only what a user may set.
// Whatever is ignored comes with a warning. Each value knows where it comes from.

import { PolicyError } from '../shared/policyError.ts';
import { join } from 'node:path';
import { defaultDataFolder, systemDataFolder } from '../platform/paths.ts';
import type { KeyInfo } from './keyInfo.ts';
import type { Policy, PolicyKey } from './keys.ts';
import { flagOf, policyKeyNames, policyKeys, variableOf } from './keys.ts';

/** HKLM and HKCU: the policy keys of the registry; managed: macOS's managed preferences; file: Linux's policy file. */
export type MachineSource = 'HKLM' | 'HKCU' | 'managed' | 'file';
export type Source = MachineSource | 'flag' | 'environment' | 'user' | 'default';

/** One place in which an administrator has set keys. */
export interface PolicyLayer {
  readonly source: MachineSource;
  /** In words, for messages. */
  readonly place: string;
  /**
   * Whether values are as loosely typed as in the registry: numbers as texts, yes and no as 1 and 0, lists as one text.
   * A JSON file has types of its own, and is held to them.
   */
  readonly loose: boolean;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface PolicySources {
  /** Highest first. */
  readonly machine: readonly PolicyLayer[];
  /** Texts as they were typed; `true` for a flag without a value. */
  readonly flags: Readonly<Partial<Record<PolicyKey, string | boolean>>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The user's settings file; nothing in it can be an error. */
  readonly user?: Readonly<Record<string, unknown>>;
  /**
   * Whether an administrator decides although `machine` is empty: the installed program, or a machine policy that cannot
   * be read. Any machine policy says so by itself.
   */
  readonly managed?: boolean;
}

export interface LoadedPolicy {
  readonly values: Policy;
  readonly sources: Readonly<Record<PolicyKey, Source>>;
  /** Words for the user about what was ignored, and why. */
  readonly warnings: readonly string[];
  /** Whether an administrator decides. */
  readonly managed: boolean;
}

export { PolicyError };

type Choice = { readonly value: unknown; readonly source: Source };
type Given = Choice & { readonly place: string; readonly what: string };
type Attempt = { readonly choice: Choice } | { readonly problem: string };

/** @throws PolicyError */
export function loadPolicy(sources: PolicySources): LoadedPolicy {
  const managed = isManaged(sources);
  const warnings = unknownKeys(sources);
  const problems: string[] = [];
  const values = {} as Record<PolicyKey, unknown>;
  const origin = {} as Record<PolicyKey, Source>;
  for (const name of policyKeyNames) {
    const attempt = choose(name, sources, warnings);
    if ('problem' in attempt) {
      problems.push(attempt.problem);
    } else {
      values[name] = attempt.choice.value;
      origin[name] = attempt.choice.source;
    }
  }
  if (problems.length > 0) throw new PolicyError(problems);
  values.dataDir ??= managed ? managedDataFolder(warnings) : defaultDataFolder();
  values.sinkFolder ??= join(String(values.dataDir), 'recordings');
  values.statusEventsFile ??= join(String(values.dataDir), 'status-events.ndjson');
  if (values.sink === 's3' && values.s3Bucket === null)
    throw new PolicyError(['Policy "sink" is s3, and "s3Bucket" is not set. Name the bucket.']);
  return { values: values as Policy, sources: origin, warnings, managed };
}

function choose(name: PolicyKey, sources: PolicySources, warnings: string[]): Attempt {
  const info: KeyInfo<unknown> = policyKeys[name];
  const given = givenValues(name, info, sources);
  const user = sources.user?.[name];
  const layer = sources.machine.find(({ values }) => values[name] !== undefined);
  if (layer !== undefined) {
    for (const { what } of [...given, ...(user === undefined ? [] : [{ what: "the user's setting" }])])
      warnings.push(`"${name}" is set by the machine policy (${layer.place}); ${what} is ignored.`);
    const value = layer.loose ? fromLoose(info, layer.values[name]) : layer.values[name];
    return check(name, info, value, layer.source, `the machine policy (${layer.place})`);
  }
  const managed = isManaged(sources);
  for (const { value, source, place, what } of given) {
    if (managed && info.userMaySet !== true) {
      warnings.push(
        `"${name}" is set by the machine policy only (${whyManaged(sources)}); ${what} is ignored.`,
      );
    } else {
      const attempt = check(name, info, value, source, place);
      // Where an administrator decides nobody stops the recorder with a variable either.
      if (!managed || 'choice' in attempt) return attempt;
      warnings.push(`${attempt.problem}; it is ignored.`);
    }
  }
  if (user !== undefined) {
    const attempt = fromUser(name, info, user);
    // Nobody is to stop the recorder with a file of settings: what is wrong in it is left out.
    if ('choice' in attempt) return attempt;
    warnings.push(attempt.problem);
  }
  return { choice: { value: info.default, source: 'default' } };
}

/** What the command line and the environment say of a key, highest first. */
function givenValues(
  name: PolicyKey,
  info: KeyInfo<unknown>,
  { flags, environment }: PolicySources,
): Given[] {
  const flag = flags[name];
  const variable = variableOf(name);
  const text = environment[variable] ?? '';
  const fromFlag: Given = {
    value: typeof flag === 'string' ? fromText(info, flag) : flag,
    source: 'flag',
    place: 'its flag',
    what: `the flag ${flagOf(name)}`,
  };
  const fromVariable: Given = {
    value: fromText(info, text),
    source: 'environment',
    place: variable,
    what: `the environment variable ${variable}`,
  };
  return [...(flag === undefined ? [] : [fromFlag]), ...(text === '' ? [] : [fromVariable])];
}

function isManaged({ managed, machine }: PolicySources): boolean {
  return managed === true || machine.length > 0;
}

function whyManaged({ machine }: PolicySources): string {
  return machine.length > 0 ? 'this machine has one' : 'this Sightline is installed for the machine';
}

/** The data folder where policy names none and no variable may. */
function managedDataFolder(warnings: string[]): string {
  const folder = systemDataFolder();
  const asked = defaultDataFolder();
  if (asked !== folder)
    warnings.push(
      `"dataDir" is set by the machine policy only; the folder ${asked}, to which the environment leads, is ignored.`,
    );
  return folder;
}

function fromUser(name: PolicyKey, info: KeyInfo<unknown>, value: unknown): Attempt {
  if (info.userMaySet !== true)
    return {
      problem: `"${name}" cannot be set in the user's settings, only by the machine policy, a flag or ${variableOf(name)}; it is ignored there.`,
    };
  const attempt = check(name, info, value, 'user', "the user's settings");
  return 'choice' in attempt ? attempt : { problem: `${attempt.problem}; it is ignored.` };
}

function check(
  name: PolicyKey,
  info: KeyInfo<unknown>,
  value: unknown,
  source: Source,
  place: string,
): Attempt {
  const parsed = info.schema.safeParse(value);
  if (parsed.success) return { choice: { value: parsed.data, source } };
  const problems = parsed.error.issues.map((issue) => issue.message).join('; ');
  return { problem: `Policy "${name}" from ${place} is not valid: ${problems}` };
}

function unknownKeys({ machine, user = {} }: PolicySources): string[] {
  const isUnknown = (name: string): boolean => !Object.hasOwn(policyKeys, name);
  return [
    ...machine.flatMap(({ place, values }) =>
      Object.keys(values)
        .filter(isUnknown)
        .map((name) => `The machine policy (${place}) has an unknown key "${name}"; it is ignored.`),
    ),
    ...Object.keys(user)
      .filter(isUnknown)
      .map((name) => `The user's settings have an unknown key "${name}"; it is ignored.`),
  ];
}

/** A text as the schema wants it; what cannot be read is passed on for the schema to complain about. */
function fromText(info: KeyInfo<unknown>, text: string): unknown {
  switch (info.form) {
    case 'text':
      return text;
    case 'integer':
      return /^-?\d+$/.test(text.trim()) ? Number(text) : text;
    case 'boolean':
      return booleans[text.trim().toLowerCase()] ?? text;
    case 'list':
      return text.trim() === '' ? [] : text.split(',');
  }
}

function fromLoose(info: KeyInfo<unknown>, value: unknown): unknown {
  if (typeof value === 'string') return fromText(info, value);
  if (info.form === 'boolean' && (value === 0 || value === 1)) return value === 1;
  return value;
}

const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  yes: true,
  on: true,
  false: false,
  '0': false,
  no: false,
  off: false,
};

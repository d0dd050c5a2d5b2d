// Policy from its sources, highest first: machine policy, flags, environment, the user's settings, defaults. Where an
// administrator decides (the installed program, or any machine policy), flags and environment belong to the agent, like the
// settings file, and set only what a user may set. Each ignored value causes a warning. Each value has its source.

import { PolicyError } from '../shared/errors.ts';
import { join } from 'node:path';
import type { z } from 'zod';
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
  /** For messages. */
  readonly place: string;
  /**
   * Whether values are as loosely typed as in the registry: numbers as texts, yes and no as 1 and 0, lists as one text.
   * A JSON file has types of its own, which are checked strictly.
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
   * be read.
   */
  readonly managed?: boolean;
}

export interface LoadedPolicy {
  readonly values: Policy;
  readonly sources: Readonly<Record<PolicyKey, Source>>;
  /** What was ignored, and why. */
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
  const { problems, ...loaded } = resolvePolicy(sources);
  if (problems.length > 0) throw new PolicyError(problems);
  return loaded;
}

/** Never throws: a key that is not valid has its default, and a problem that names it. */
export function resolvePolicy(
  sources: PolicySources,
): LoadedPolicy & { readonly problems: readonly string[] } {
  const managed = isManaged(sources);
  const warnings = unknownKeys(sources);
  const problems: string[] = [];
  const values = {} as Record<PolicyKey, unknown>;
  const origin = {} as Record<PolicyKey, Source>;
  for (const name of policyKeyNames) {
    const attempt = choose(name, sources, warnings);
    if ('problem' in attempt) problems.push(attempt.problem);
    const choice = 'choice' in attempt ? attempt.choice : defaultOf(policyKeys[name]);
    values[name] = choice.value;
    origin[name] = choice.source;
  }
  values.dataDir ??= managed ? managedDataFolder(warnings) : defaultDataFolder();
  values.sinkFolder ??= join(String(values.dataDir), 'recordings');
  values.statusEventsFile ??= join(String(values.dataDir), 'status-events.ndjson');
  if (values.sink === 's3' && values.s3Bucket === null) {
    problems.push('Policy "sink" is s3, and "s3Bucket" is not set. Name the bucket.');
    Object.assign(values, { sink: 'folder' satisfies Policy['sink'] });
    origin.sink = 'default';
  }
  return { values: values as Policy, sources: origin, warnings, managed, problems };
}

const defaultOf = (info: KeyInfo<unknown>): Choice => ({ value: info.default, source: 'default' });

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
      // Where an administrator decides, a wrong variable must not stop the recorder.
      if (!managed || 'choice' in attempt) return attempt;
      warnings.push(`${attempt.problem}; it is ignored.`);
    }
  }
  if (user !== undefined) {
    const attempt = fromUser(name, info, user);
    // A wrong settings file must not stop the recorder.
    if ('choice' in attempt) return attempt;
    warnings.push(attempt.problem);
  }
  return { choice: defaultOf(info) };
}

/** A key's values from the command line and the environment, highest first. */
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
  const parsed = parseValue(info, value);
  if ('value' in parsed) return { choice: { value: parsed.value, source } };
  return { problem: `Policy "${name}" from ${place} is not valid: ${parsed.problem}` };
}

/** A key's value, or what is wrong with it in words for an administrator. */
export function parseValue<T>(
  info: Pick<KeyInfo<T>, 'schema'>,
  value: unknown,
): { readonly value: T } | { readonly problem: string } {
  const parsed = info.schema.safeParse(value, { error: issueText });
  return parsed.success
    ? { value: parsed.data }
    : { problem: parsed.error.issues.map((issue) => issue.message).join('; ') };
}

/** Of issues for which the schema has no text of its own. */
function issueText(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeNames[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`;
    case 'too_big':
      return issue.origin === 'number'
        ? `must be at most ${issue.maximum}`
        : `must have at most ${issue.maximum} ${issue.origin === 'string' ? 'characters' : 'entries'}`;
    case 'too_small':
      return issue.origin === 'number'
        ? `must be at least ${issue.minimum}`
        : `must have at least ${issue.minimum} ${issue.origin === 'string' ? 'characters' : 'entries'}`;
    default:
      return 'is not in the form that docs/policy.md describes';
  }
}

const typeNames: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
};

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

/** Text that cannot be converted is passed on, so that the schema rejects it. */
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
